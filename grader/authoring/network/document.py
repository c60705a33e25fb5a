"""The authored file of a traced network without its items: statement, imports, FIXTURES, inputs, forward."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from grader.authoring import skeleton
from grader.authoring.item import AuthoredError, assigns, parsed
from grader.authoring.network.flat import Flat
from grader.authoring.network.load import Model
from grader.authoring.network.trace import Step

IMPORTS = ["import torch", "import torch.nn.functional as F"]


def taken(text: str, wanted: Sequence[str]) -> list[tuple[ast.stmt, str]]:
    """What the authored file takes over of another: some definitions, and all that these use."""
    tree = parsed(text, "")
    roots = [n for n in tree.body if getattr(n, "name", "") in wanted or any(assigns(n, w) for w in wanted)]
    return [(n, skeleton.text_of(text, n).rstrip()) for n in skeleton.needed(tree, roots)]


def _imports(pieces: Sequence[tuple[ast.stmt, str]]) -> list[str]:
    own = [t for n, t in pieces if isinstance(n, ast.Import | ast.ImportFrom)]
    return list(dict.fromkeys([*IMPORTS, *own]))


def of_model(name: str, model: Model, flat: Flat) -> str:
    doc = [f"{skeleton.titled(name)}: every gradient by hand."]
    about = model.doc.strip() or f"The network is {model.cls}, step by step, one named tensor a line."
    doc += ["", about if about.endswith((".", "!", "?")) else f"{about}."]
    doc += ["", flat.said] if flat.said else []
    statement = '"""' + "\n".join(doc).replace("\\", "\\\\").replace('"""', "'''") + '\n"""'
    tables = {s: flat.table(s) for s in flat.inputs if s.kind in ("buffer", "constant")}
    pieces = []
    of_class, of_example = model.texts
    wanted = {of_example: [model.function]}
    if "" in tables.values():  # only the model itself has one
        wanted.setdefault(of_class, []).append(model.cls)
    for text, names in wanted.items():
        pieces += taken(text, names)
    rest = [text for n, text in pieces if not isinstance(n, ast.Import | ast.ImportFrom)]
    first, *others = flat.settings[:3]
    rows = [("lecture", 1, first), ("probe-1", 2, first)]
    rows += [(f"probe-{k}", k + 1, s) for k, s in enumerate(others, 2)]
    fixtures = [f'    "{label}": dict(seed={seed}, {_sized(at)}),' for label, seed, at in rows]
    blocks = [statement, "\n".join(_imports(pieces)), "\n".join(["FIXTURES = {", *fixtures, "}"])]
    inputs = "\n".join(_inputs(model, flat, tables))
    return "\n\n".join(blocks) + "\n\n\n" + "\n\n\n".join([*rest, inputs, flat.forward()])


def _sized(sizes: Mapping[str, object]) -> str:
    return ", ".join(f"{k}={v}" for k, v in sizes.items())


def _inputs(model: Model, flat: Flat, tables: Mapping[Step, str]) -> Iterator[str]:
    """The lines of the function inputs."""
    sizes = flat.settings[0]
    yield f"def inputs({', '.join(['g', *sizes])}):"
    yield f'    """What {model.cls} starts from, drawn with the generator g."""'
    call = f"{model.function}(g, {_sized({k: k for k in sizes})})"
    if isinstance(model.drawn, Mapping):
        yield f"    given = {call}"
        given = {k: f'given["{k}"]' for k in model.drawn}
    else:
        given = {k: k for k in model.network.make(sizes)[1]}
        comma = "," if len(given) == 1 and isinstance(model.drawn, tuple | list) else ""
        yield f"    {', '.join(given)}{comma} = {call}"
    if "" in tables.values():
        yield f"    model = {model.cls}({_sized({k: k for k in model.takes})})"
    yield "    return dict("
    for step in sorted(flat.inputs, key=lambda s: s.kind != "given"):
        made = tables.get(step)
        if step.kind == "given":
            made = given[flat.paths[step]]
        elif made is None:
            made = _drawn(step, flat)
        elif not made:
            path = flat.paths[step]
            if path not in dict(model.network.make(sizes)[0].named_buffers()):
                raise AuthoredError(f"{path} is a constant of the forward pass: register it as a buffer")
            made = "model." + re.sub(r"\.(\d+)", r"[\1]", path) + ".clone()"
        yield f"        {step.name}={made},"
    yield "    )"


def _drawn(step: Step, flat: Flat) -> str:
    """How a parameter or what the forward pass drew is drawn in inputs()."""
    size = [flat.fit([s[k] for s in step.shapes]) for k in range(len(step.shape))]
    shape = ast.unparse(ast.Tuple(size, ast.Load()))
    if step.kind == "noise":
        kind = step.args["draw"]
        if kind == "keep":
            return f"torch.rand({shape}, generator=g) >= {step.args['p'].value}"
        return f"torch.{kind}({shape}, generator=g)"
    text = f"torch.randn({shape}, generator=g)"
    uses = [(s.op, k) for s in flat.steps for k, v in s.args.items() if v is step]
    if (
        len(size) == 1
        and flat.paths[step].endswith("weight")
        or (any("norm" in op and k == "weight" or op == "mul" and len(size) == 1 for op, k in uses))
    ):
        return f"1 + 0.1 * {text}"  # a gain
    if flat.paths[step].endswith("running_var"):
        return "0.5 + " + text.replace("randn", "rand")
    if len(size) < 2:
        return f"{text} * 0.1"
    if ("embedding", "weight") in uses:
        return text
    sizes = [ast.unparse(n) for n in size[1:]]
    fan = (
        sizes[0] if len(sizes) == 1 else " * ".join(n if re.fullmatch(r"\w+", n) else f"({n})" for n in sizes)
    )
    return f"{text} * " + (fan if re.fullmatch(r"\w+", fan) else f"({fan})") + "**-0.5"


def of_function(name: str, forward: str, text: str, flat: Flat) -> str:
    """forward: FILE::function, whose text is given."""
    file, _, function = forward.partition("::")
    for step in flat.inputs:
        if step.kind == "noise":
            said = "draws inside the forward pass: draw it in inputs(), and pass it"
            raise AuthoredError(f"{step.where[0]}, line {step.where[1]}: `{step.args['draw']}` {said}")
        if step.kind in ("buffer", "constant") and not flat.table(step):
            raise AuthoredError(f"{file}: {step.name} is a constant of the forward pass: make it in inputs()")
    tree = parsed(text, file)
    about = f"The network is {function} of {Path(file).name}, step by step, one named tensor a line."
    doc = f'"""{skeleton.titled(name)}: every gradient by hand.\n\n{about}\n'
    doc += f'\n{flat.said}\n"""' if flat.said else '"""'
    if ast.get_docstring(tree):
        doc = ast.get_source_segment(text, tree.body[0]) or doc
    pieces = taken(text, ["inputs", "FIXTURES"])
    constants = [t for n, t in pieces if isinstance(n, ast.Assign)]
    functions = [t for n, t in pieces if isinstance(n, ast.FunctionDef | ast.ClassDef)]
    head = "\n\n".join([doc, "\n".join(_imports(pieces)), *constants])
    return "\n\n\n".join([head, *functions, flat.forward()])
