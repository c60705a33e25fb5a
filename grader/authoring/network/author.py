"""From a model, or a forward function that is not flat, to the text of an authored file with its gradients.

Imports torch and runs the author's code; in a process of its own.
"""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass

from grader.authoring import author_gradients, authored, build, skeleton, straight_line
from grader.authoring.hints.example import small, ways
from grader.authoring.hints.operations import paths
from grader.authoring.hints.site import NoRule, Scope
from grader.authoring.item import AuthoredError, parsed
from grader.authoring.network import document, load
from grader.authoring.network.flat import Flat
from grader.authoring.network.site import NotWritten
from grader.authoring.network.sizes import Unknown
from grader.core.exercise import sizes as fixture_sizes
from grader.reference.program import Program


@dataclass(frozen=True)
class Asked:
    """What is asked for. wanted: the items; all where there are none. stubs: without their bodies."""

    name: str
    atomic: bool = False
    wanted: Sequence[str] = ()
    stubs: bool = False


def from_model(asked: Asked, model: str, example: str) -> tuple[str, list[str]]:
    """The text of an authored file, and the items whose body is left to write."""
    found = load.of_class(model, example, asked.atomic)
    settings = found.network.settings()
    free = [n for n in settings[0] if len({s[n] for s in settings}) > 1]
    for fixed in (f for k in range(len(free) + 1) for f in itertools.combinations(reversed(free), k)):
        own = [{**s, **{n: settings[0][n] for n in fixed}} for s in settings]
        if not all(map(found.network.works, own)):  # a number of heads that doesn't divide the channels
            continue
        try:
            flat = Flat(found.network, own)
            text = document.of_model(asked.name, found, flat)
            break
        except Unknown:  # a number that no expression in the sizes is
            continue
    return with_items(text, asked, flat)


def from_forward(asked: Asked, forward: str) -> tuple[str, list[str]]:
    """The same from a function of tensors, with FIXTURES and inputs() in its file."""
    file, _, function = forward.partition("::")
    function = function or "forward"
    network, settings, text = load.of_function(file, function, asked.atomic)
    tree = parsed(text, file)
    node = next(n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == function)
    if straight_line.problem(node) is None:
        lines = {n.lineno: n.targets[0].id for n in node.body
                 if isinstance(n, ast.Assign) and isinstance(n.targets[0], ast.Name)}  # fmt: skip
        begun = skeleton.begin(asked.name, text, function, file)
        said = f"The network is {function}, one named tensor a line."
        begun = re.sub("TODO: what the network is.*", said, begun)
        return with_items(begun, asked, Flat(network, settings, lines))
    flat = Flat(network, settings)
    return with_items(document.of_function(asked.name, f"{file}::{function}", text, flat), asked, flat)


def with_items(text: str, asked: Asked, flat: Flat) -> tuple[str, list[str]]:
    """The file with an item for each tensor that has a gradient, its body where one could be written."""
    name, wanted = asked.name, asked.wanted
    filename = f"solutions/{'/'.join(name.split('.'))}.py"
    try:
        facts = build.network(text, filename)
    except RuntimeError as error:  # torch gives no gradient to an argument that is an input
        raise AuthoredError(f"the network, one tensor a line, doesn't run: {error}") from None
    tracked = {s.name for s in (*flat.inputs, *flat.lines) if s.tracked}
    facts["grads"] = [n for n in facts["grads"] if n in tracked]
    parts = authored.network(text, filename)
    steps = {s.name: s for s in (*flat.inputs, *flat.lines)}
    made: dict[str, str] = {}
    left: dict[str, str] = {}
    items = skeleton.items(*parts, **facts)
    late = flat.of_data()
    items = dict(sorted(items.items(), key=lambda item: item[0][1:] in late))
    if unknown := [w for w in wanted if w not in items and f"d{w}" not in items]:
        raise AuthoredError(f"--items: there is no {unknown[0]}; there are {', '.join(items)}")
    chosen = {k: v for k, v in items.items() if not wanted or k in wanted or k[1:] in wanted}
    for item in () if asked.stubs else chosen:
        try:
            made[item] = flat.body(steps[item[1:]])
        except (NotWritten, Unknown) as error:
            left[item] = str(error) or "no rule"
    order = [*parts[0], *(line.name for line in parts[1])]
    gradients = {f"d{n}" for n in order}
    while True:
        whole = [text.rstrip()]
        for item, begun in chosen.items():
            if item in made:
                begun = _filled(begun, made[item], order, gradients, facts["sizes"])
            whole.append(begun.strip())
        full = "\n\n\n".join(whole) + "\n"
        wrong, dropped = verified(full, filename, set(made))
        if not wrong:
            return hinted(full, filename), [f"{k}: {v}" for k, v in left.items()]
        for item, said in wrong.items():
            left[item] = said
            made.pop(item, None)
            if dropped:
                del chosen[item]


def _filled(begun: str, body: str, order: Sequence[str], gradients: set[str], sizes: Sequence[str]) -> str:
    """An item with its body, asking for what the body names."""
    tree = ast.parse(body)
    used = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}
    stored = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    used -= stored
    params = [t for t in order if t in used] + [
        g for g in sorted(gradients, key=lambda g: order.index(g[1:])) if g in used
    ]
    params += [s for s in sizes if s in used and s not in order]
    head, _, rest = begun.strip().partition("):")
    lines = rest.split("\n")
    at = next(k for k, line in enumerate(lines) if "raise NotImplementedError" in line)
    lines[at : at + 1] = ["    " + line for line in body.split("\n")]
    return f"{head.partition('(')[0]}({', '.join(params)}):" + "\n".join(lines)


def verified(text: str, filename: str, items: set[str]) -> tuple[dict[str, str], bool]:
    """Of the items whose body is written those that are not autograd's on some fixture, with what is told;
    and whether it is one that can't be asked for at all."""
    parts = authored.read(text, filename)
    program = Program.of(parts.public, filename)
    author = author_gradients.Gradients(text, parts, filename)
    wrong: dict[str, str] = {}
    for fixture, settings in program.fixtures.items():
        try:
            given, reference, _ = build.saved(program, parts, fixture, settings, filename)
        except AuthoredError as error:  # its numbers are too small to be told from what float32 loses
            item_of = [i.name for i in parts.gradients if f": {i.name}: " in str(error)]
            if not item_of:
                raise
            return {item_of[0]: f"not asked for: {str(error).split(': ')[-2]}"}, True
        for item in parts.gradients:
            if item.name in items and item.name not in wrong:
                try:
                    author.verify_one(item, fixture, given, reference, fixture_sizes(settings))
                except AuthoredError as error:
                    wrong[item.name] = str(error).partition(": ")[2]
    return wrong, False


def hinted(text: str, filename: str) -> str:
    """The file with HINTS for the items of whose lines the hints' own table has no rule."""
    parts = authored.read(text, filename)
    program = Program.of(parts.public, filename)
    env = small(program)
    if env is None:
        return text
    scope = Scope({**program.module, **env}, {**program.module, **env})
    back = ways(program)
    said = []
    for item in parts.gradients:
        lines = [line for line in back if item.tensor in line.uses]
        shape = tuple(env[item.tensor].shape)
        try:
            for line in lines:
                paths(item.tensor, shape, line.name, line.code, scope, line.name == program.loss)
        except NoRule:
            concept = "Each of these lines is a way back, and what comes back adds up:"
            concept += "".join(f"\\n    {line.code.strip()}" for line in lines)
            concept += "\\nWrite one number of the result as a function of the numbers that it is made of."
            each = " + ".join(f"Σ d{x.name}[…] · ∂{x.name}[…]/∂{item.tensor}[i]" for x in lines)
            formula = f"    {item.name}[i] = {each}\\n\\nThe sums run over all numbers of what arrives."
            rungs = [
                f'"{k}": "{v.replace(chr(34), chr(39))}"'
                for k, v in (("concept", concept), ("formula", formula))
            ]
            said.append(f'    "{item.name}": {{\n        {rungs[0]},\n        {rungs[1]},\n    }},\n')
    return (
        text.replace("\n\n\ndef forward(", f"\n\n\nHINTS = {{\n{''.join(said)}}}\n\n\ndef forward(")
        if said
        else text
    )
