"""From a model, or a forward function that is not flat, to the text of an authored file with its gradients.

Imports torch and runs the author's code; in a process of its own.
"""

from __future__ import annotations

import ast
import importlib.util
import inspect
import itertools
import re
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from grader.authoring import author_gradients, authored, build, skeleton, straight_line
from grader.authoring.hints.example import small
from grader.authoring.hints.operations import paths
from grader.authoring.hints.site import NoRule, Scope
from grader.authoring.item import AuthoredError, parsed
from grader.authoring.network import bodies, names, operators, trace
from grader.authoring.network.simplify import simplified
from grader.authoring.network.sizes import Unknown, expression, others
from grader.authoring.network.trace import Number, Step, literal
from grader.core.exercise import sizes as fixture_sizes
from grader.reference.program import Program

Sizes = dict[str, int]
MOVES = ("transpose", "t", "numpy_T", "mT", "permute", "view", "reshape", "flatten", "unflatten", "unsqueeze",
         "squeeze", "expand", "select", "slice", "_unsafe_view")  # fmt: skip
LONG = 72


class Network:
    """A network of the author's: what makes it at some sizes, and calls it.

    make: by sizes, the model and its inputs by name. first: the lecture's sizes. place: file and line of what
    can't be found otherwise.
    """

    def __init__(
        self, make: Callable[[Sizes], tuple[Any, dict[str, Any]]], first: Sizes, atomic: bool, file: str
    ) -> None:
        self.make, self.first, self.atomic = make, first, atomic
        lines = Path(file).read_text(encoding="utf-8").splitlines()
        grad = [
            n for n, line in enumerate(lines, 1) if re.search("no_grad|inference_mode|set_grad_enabled", line)
        ]
        self.place = (file, grad[0] if grad else 1)

    def works(self, sizes: Sizes) -> bool:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                model, given = self.make(sizes)
                out = model(**given)
        except Exception:
            return False
        return all(bool(o.isfinite().all()) for o in _flat(out))

    def graph(self, sizes: Sizes) -> Any:
        model, given = self.make(sizes)
        return trace.export(model, given, self.atomic)

    def settings(self) -> list[Sizes]:
        """The lecture's sizes, and two that differ in all that may differ with the same steps."""
        first = self.graph(self.first)
        found = [self.first]
        for skip in (0, 1):
            own = dict(self.first)
            for name in self.first:
                used = {*own.values(), *(s[name] for s in found)}
                choices = [v for v in others(self.first[name]) if v not in {s[name] for s in found}]
                choices.sort(key=lambda v: (v in used, abs(v - self.first[name]), v))
                good = 0
                for value in choices:
                    tried = {**own, name: value}
                    if not self.works(tried):
                        continue
                    if not trace.same([first, self.graph(tried)]):
                        break  # a loop that the size counts
                    own = tried
                    good += 1
                    if good > skip * 0:
                        break
            found.append(own)
        return found


def _flat(out: Any) -> list[torch.Tensor]:
    if isinstance(out, torch.Tensor):
        return [out] if out.is_floating_point() else []
    if isinstance(out, Mapping):
        out = list(out.values())
    return [t for o in out for t in _flat(o)] if isinstance(out, list | tuple) else []


class Flat:
    """A trace as a flat forward program."""

    def __init__(
        self, network: Network, settings: Sequence[Sizes], lines: Mapping[int, str] | None = None
    ) -> None:
        self.network = network
        graphs = [network.graph(s) for s in settings]
        layers = trace.Layers(graphs, settings, list(network.make(settings[0])[1]), lines is not None)
        self.traced, self.problems = layers.traced(), layers.problems
        self.settings = settings
        self.said = ""
        self._refuse()
        loss = self._loss()
        self.steps = trace.pruned(self.traced.steps, [loss])
        self.problems += [
            (step.where, f"torch's {step.op} is no line that can be written: write it in other operations")
            for step in self.steps
            if not operators.known(step.op)
        ]
        self._refuse()
        if loss not in self.steps:
            raise AuthoredError(
                "what the model returns is one of its inputs: there is nothing to differentiate"
            )
        self.paths = {i: i.name for i in self.traced.inputs}
        used = {o for s in self.steps for o in s.operands()}
        for step in [i for i in self.traced.inputs if i in used and i.kind == "constant"]:
            if made := buffer(step, self, values_of(network, self, step.name)):
                step.op, step.inline = "constant", True
                step.args = {"value": Number(None, ast.parse(made, mode="eval").body)}
                used.discard(step)
        self.inputs = [i for i in self.traced.inputs if i in used]
        self.loss = loss
        if lines is None:
            names.named(self.inputs, self.steps, [*settings[0], "loss"])
            loss.name, loss.inline = "loss", False
            self._inline()
        else:
            for step in self.steps:
                step.name = f"{lines.get(step.where[1], 'x')}_{step.op}"
            for line, target in lines.items():
                if own := [s for s in self.steps if s.where[1] == line]:
                    own[-1].name = target
                    for step in own[:-1]:
                        step.inline = True
            loss.inline = False
        self.lines = [s for s in self.steps if not s.inline]
        self.writer = bodies.Writer(self.fit)

    def _refuse(self) -> None:
        """Say all that stands in the way."""
        if self.problems:
            told = sorted({(w if w[0] else self.network.place, said) for w, said in self.problems})
            raise AuthoredError("\n".join(f"{trace.shown(where)}: {said}" for where, said in told))

    def fit(self, values: Sequence[int]) -> ast.expr:
        if all(v == values[0] for v in values):
            return literal(values[0])
        return expression(list(values), self.settings)

    def _loss(self) -> Step:
        """The scalar that the model returns, or one made of what it returns."""
        steps, outs = self.traced.steps, self.traced.outputs
        tracked = [o for o in dict.fromkeys(outs) if o.tracked]
        scalars = [o for o in tracked if o.shape == ()]
        where = steps[-1].where if steps else ("", 0)
        none = len(self.settings) * ((),)

        def add(op: str, **args: Any) -> Step:
            shapes = none if op != "mul" else args["self"].shapes
            step = Step(op, args, shapes, where, "", tracked=True)
            steps.append(step)
            return step

        if not tracked:
            raise AuthoredError("nothing that the model returns depends on a parameter or an input")
        if not scalars:
            total: Step | None = None
            for out in tracked:
                noise = Step("input", {"draw": "randn"}, out.shapes, kind="noise", name="weighting")
                self.traced.inputs.append(noise)
                one = add("sum", self=add("mul", self=noise, other=out), dim=Number(None, ast.Constant(None)))
                total = one if total is None else add("add", self=total, other=one)
            self.said = (
                "The network ends with no single number, so the loss is the sum of what it returns, "
                "each number "
                "with a fixed random weight."
            )
            assert total is not None
            return total
        total = scalars[0]
        for more in scalars[1:]:
            total = add("add", self=total, other=more)
        if len(scalars) > 1:
            self.said = f"The network returns {len(scalars)} numbers; the loss is their sum."
        return total

    def _inline(self) -> None:
        """What has no name in the source and is used once stands in the line that uses it, if it is small."""
        uses: dict[Step, list[Step]] = {}
        for step in self.steps:
            for operand in step.operands():
                uses.setdefault(operand, []).append(step)
        wanted = {s for s in self.steps if s.inline}
        for step in self.steps:
            step.inline = any(r.op in ("part", "detach") for r in uses.get(step, []))
        writer = bodies.Writer(self.fit)
        for step in self.steps:
            if step not in wanted or len(uses.get(step, [])) != 1 or step is self.loss:
                continue
            reader = uses[step][0]
            scaling = reader.op in ("mul", "div", "add", "sub", "masked_fill", "rsub", "neg")
            alone = sum(o.tracked for o in reader.operands()) == 1 and all(
                o.shape == () or o is step
                for o in reader.operands()
                if o.tracked or reader.op != "masked_fill"
            )
            small = (
                step.op in MOVES
                or not step.tracked
                or (scaling and alone and step.op in ("matmul", "linear", "mul"))
            )
            small = (
                small
                or reader.op in ("add", "sub")
                and step.op in ("mul", "matmul")
                and self._plain(step, reader)
            )
            made = ast.unparse(simplified(operators.write(step, writer.value)))
            if (
                reader.op in ("cat", "stack", "einsum", "layer_norm", "conv2d", "softmax", "part")
                and step.tracked
            ):
                continue
            if small and len(made) < LONG - 20 and "\n" not in made:
                step.inline = True
                whole = ast.unparse(simplified(operators.write(reader, writer.value)))
                step.inline = len(whole) < LONG

    def _plain(self, step: Step, reader: Step) -> bool:
        """Whether a product is small enough to be a summand."""
        return step.shapes == reader.shapes and not any(o.inline and o.tracked for o in step.operands())

    def forward(self) -> str:
        sizes = {
            n.id
            for s in self.lines
            for n in ast.walk(ast.parse(self.writer.line(s)))
            if isinstance(n, ast.Name)
        }
        params = [i.name for i in self.inputs] + [n for n in self.settings[0] if n in sizes]
        head = "def forward(" + ", ".join(params) + "):"
        if len(head) > 100:
            head = "def forward(\n    " + _wrapped(params, 4) + "\n):"
        return head + "\n" + "".join(f"    {self.writer.line(s)}\n" for s in self.lines) + "    return loss\n"

    def readers(self, tensor: Step) -> list[Step]:
        """The lines that read a tensor, in order."""

        def reads(step: Step) -> bool:
            return any(o is tensor or (o.inline and reads(o)) for o in step.operands())

        return [line for line in self.lines if reads(line)]

    def body(self, tensor: Step) -> str:
        taken = {s.name for s in (*self.inputs, *self.steps)} | {
            *self.settings[0],
            "n",
            "F",
            "torch",
            "i",
            "j",
        }
        taken |= {"d" + s.name for s in (*self.inputs, *self.lines) if s is not tensor}
        taken.discard("d" + tensor.name)
        return bodies.Body(
            self.fit, tensor, self.readers(tensor), self.loss, taken, [*self.settings[0]]
        ).text()


def _wrapped(words: Sequence[str], indent: int) -> str:
    lines, line = [], ""
    for word in words:
        if len(line) + len(word) > 92:
            lines.append(line.rstrip())
            line = ""
        line += f"{word}, "
    return ("\n" + " " * indent).join([*lines, line.rstrip()])


def load(file: str, wanted: Sequence[str]) -> tuple[str, Any]:
    """A file's text and its module; AuthoredError where it can't be run, or lacks a name."""
    try:
        text = Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise AuthoredError(
            f"{file} can't be read: {getattr(error, 'strerror', None) or 'it is no text'}"
        ) from None
    tree = parsed(text, file)
    defined = [n.name for n in tree.body if isinstance(n, ast.ClassDef | ast.FunctionDef)]
    for name in wanted:
        if name not in defined:
            what = f"function {name}" if name.islower() else name or "name after ::"
            raise AuthoredError(f"{file} has no {what}; it has {', '.join(defined) or 'none'}")
    path = Path(file).resolve()
    spec = importlib.util.spec_from_file_location("the_network", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(path.parent))
    sys.modules["the_network"] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise AuthoredError(f"{file} stops when it is imported: {type(error).__name__}: {error}") from None
    return text, module


def of_class(model: str, example: str, atomic: bool) -> tuple[Network, dict[str, Any]]:
    """The network that `--model` and `--example` name; and what the file takes over of their text."""
    file, _, cls = model.partition("::")
    file2, _, function = example.partition("::")
    text, module = load(file, [cls])
    text2, module2 = (text, module) if file2 in ("", file) else load(file2, [function])
    if not hasattr(module2, function):
        raise AuthoredError(f"{file2 or file} has no function {function}")
    made, draw = getattr(module, cls), getattr(module2, function)
    if not isinstance(made, type) or not issubclass(made, torch.nn.Module):
        raise AuthoredError(f"{file}: {cls} is no torch.nn.Module")
    parameters = inspect.signature(draw).parameters
    sizes = {k: p.default for k, p in parameters.items() if isinstance(p.default, int)}
    lacking = [k for k, p in list(parameters.items())[1:] if k not in sizes and p.default is p.empty]
    if lacking or not sizes:
        raise AuthoredError(
            f"{file2 or file}: {function}({', '.join(parameters)}) needs its sizes as defaults: "
            f"def {function}(g, n=4, d=3)"
        )
    own = inspect.signature(made.__init__).parameters
    takes = [k for k in sizes if k in own]
    unset = [k for k, p in list(own.items())[1:] if p.default is p.empty and k not in sizes
             and p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]  # fmt: skip
    if unset:
        raise AuthoredError(f"{file}: {cls} needs {', '.join(unset)}: give {function} a size of that name")

    def make(sizes: Sizes) -> tuple[Any, dict[str, Any]]:
        torch.manual_seed(0)
        instance = made(**{k: sizes[k] for k in takes})
        g = torch.Generator().manual_seed(1)
        return instance, arguments(instance, draw(g, **sizes))

    network = Network(make, sizes, atomic, file)
    try:
        instance, given = make(sizes)
        instance(**given)
    except Exception as error:
        raise AuthoredError(
            f"{file}: {cls} stops at {function}'s sizes: {type(error).__name__}: {error}"
        ) from None
    doc = (made.__doc__ or "") and inspect.getdoc(made)
    known: dict[str, Any] = {
        "class": cls,
        "function": function,
        "text": text,
        "text2": text2,
        "takes": takes,
        "file": file,
    }
    known |= {"draw": draw, "file2": file2 or file, "doc": doc}
    return network, known


def arguments(model: Any, drawn: Any) -> dict[str, Any]:
    """What an example function returns, by the names of the forward pass's parameters."""
    function = model.forward if isinstance(model, torch.nn.Module) else model
    if isinstance(drawn, Mapping):
        return dict(drawn)
    values = list(drawn) if isinstance(drawn, tuple | list) else [drawn]
    return dict(inspect.signature(function).bind(*values).arguments)


def draw(step: Step, flat: Flat, embedded: bool, gain: bool) -> str:
    """How a parameter or what the forward pass drew is drawn in inputs()."""
    size = [flat.fit([s[k] for s in step.shapes]) for k in range(len(step.shape))]
    shape = ast.unparse(ast.Tuple(size, ast.Load()))
    if step.kind == "noise":
        kind = step.args["draw"]
        if kind == "keep":
            return f"torch.rand({shape}, generator=g) >= {step.args['p'].value}"
        return f"torch.{kind}({shape}, generator=g)"
    text = f"torch.randn({shape}, generator=g)"
    if gain:
        return f"1 + 0.1 * {text}"
    if len(size) < 2:
        return f"{text} * 0.1"
    if embedded:
        return text
    fan = ast.unparse(size[1]) if len(size) == 2 else " * ".join(_bracket(n) for n in size[1:])
    fan = f"({fan})" if not fan.isalnum() else fan
    return f"{text} * {fan}**-0.5"


def _bracket(node: ast.expr) -> str:
    text = ast.unparse(node)
    return text if text.isalnum() else f"({text})"


def buffer(step: Step, flat: Flat, values: Sequence[torch.Tensor]) -> str:
    """A table of the model's, as code; "" where no short code makes it."""
    size = [flat.fit([s[k] for s in step.shapes]) for k in range(len(step.shape))]
    shape = ast.unparse(ast.Tuple(size, ast.Load()))
    n = ast.unparse(size[0]) if size else ""
    tries = [
        f"torch.zeros({shape})",
        f"torch.ones({shape})",
        f"torch.arange({n})",
        f"torch.arange({n}).float()",
    ]
    tries += [f"torch.{t}(torch.ones({shape}))" for t in ("tril", "triu")]
    tries += [
        f"torch.{t}(torch.ones({shape})) == {v}"
        for t, v in (("tril", 0), ("tril", 1), ("triu", 1), ("triu", 0))
    ]
    tries += [f"torch.ones({shape}).triu(1) == 1", f"torch.eye({n})"]
    if all(torch.equal(values[0], v) for v in values) and values[0].numel() <= 12:
        tries.append(f"torch.tensor({values[0].tolist()})")
    for text in tries:
        try:
            made = [eval(text, {"torch": torch}, dict(s)) for s in flat.settings]
        except Exception:
            continue
        if all(a.dtype == b.dtype and torch.equal(a, b) for a, b in zip(made, values, strict=True)):
            return text
    return ""


def values_of(network: Network, flat: Flat, path: str) -> list[torch.Tensor]:
    """A buffer or a constant at each of the settings."""
    found = []
    for sizes in flat.settings:
        graph = network.graph(sizes)
        known = {**dict(graph.named_buffers()), **graph.constants}
        found.append(known[path])
    return found


def written(name: str, network: Network, known: Mapping[str, Any], flat: Flat) -> str:
    """The authored file without its items."""
    title = name.partition(".")[0].replace("-", " ").replace("_", " ")
    cls, function = known["class"], known["function"]
    doc = [f"{title[:1].upper() + title[1:]}: every gradient by hand."]
    about = known["doc"].strip() or f"The network is {cls}, step by step, one named tensor a line."
    doc += ["", about if about.endswith((".", "!", "?")) else f"{about}."]
    if flat.said:
        doc += ["", flat.said]
    statement = '"""' + "\n".join(doc).replace("\\", "\\\\").replace('"""', "'''") + '\n"""'
    tree2 = parsed(known["text2"], known["file2"])
    roots: list[ast.stmt] = [n for n in tree2.body if isinstance(n, ast.FunctionDef) and n.name == function]
    gains, tables = _kinds(flat), {}
    for step in flat.inputs:
        if step.kind in ("buffer", "constant"):
            tables[step.name] = buffer(step, flat, values_of(network, flat, flat.paths[step]))
    model_needed = any(not t for t in tables.values())
    if model_needed:
        roots += [
            n
            for n in parsed(known["text"], known["file"]).body
            if isinstance(n, ast.ClassDef) and n.name == cls
        ]
    same_file = known["text"] == known["text2"]
    trees = [(known["text2"], tree2)] if same_file or not model_needed else [
        (known["text2"], tree2), (known["text"], parsed(known["text"], known["file"]))]  # fmt: skip
    imports, rest = ["import torch\n", "import torch.nn.functional as F\n"], []
    for text, tree in trees:
        own = [r for r in roots if any(ast.dump(r) == ast.dump(n) for n in tree.body)]
        own = [n for n in tree.body if any(ast.dump(r) == ast.dump(n) for r in own)]
        for node in skeleton.needed(tree, own):
            piece = skeleton.text_of(text, node)
            if isinstance(node, ast.Import | ast.ImportFrom):
                imports += [piece] if piece not in imports else []
            else:
                rest.append(piece)
    sizes = flat.settings[0]
    head = ", ".join(["g", *sizes])
    call = ", ".join(f"{k}={k}" for k in sizes)
    inputs = [f"def inputs({head}):", f'    """What {cls} starts from, drawn with the generator g."""']
    given = [i for i in flat.traced.inputs if i.kind == "given"]
    drawn = draw_once(known, flat)
    order = list(network.make(sizes)[1])
    if isinstance(drawn, Mapping):
        inputs.append(f"    given = {function}(g, {call})")
        text_of_given = {k: f'given["{k}"]' for k in drawn}
    else:
        targets = ", ".join(order) + ("," if len(order) == 1 and isinstance(drawn, tuple | list) else "")
        inputs.append(f"    {targets} = {function}(g, {call})")
        text_of_given = {k: k for k in order}
    if model_needed:
        takes = ", ".join(f"{k}={k}" for k in known["takes"])
        inputs.append(f"    model = {cls}({takes})")
    inputs.append("    return dict(")
    for step in given:
        if step in flat.inputs:
            inputs.append(f"        {step.name}={text_of_given[flat.paths[step]]},")
    for step in flat.inputs:
        if step.kind in ("parameter", "noise"):
            kind = gains.get(step, "")
            made = draw(step, flat, kind == "embedding", kind == "gain")
            inputs.append(f"        {step.name}={made},")
        elif step.kind in ("buffer", "constant"):
            path = flat.paths[step]
            if not tables[step.name] and not _reachable(path, network, flat):
                raise AuthoredError(f"{path} is a constant of the forward pass: register it as a buffer")
            inputs.append(f"        {step.name}={tables[step.name] or f'model.{_dotted(path)}.clone()'},")
    inputs.append("    )")
    fixtures = ["FIXTURES = {"]
    for label, seed, at in _fixtures(flat.settings):
        fixtures.append(f'    "{label}": dict(seed={seed}, {", ".join(f"{k}={v}" for k, v in at.items())}),')
    fixtures.append("}")
    blocks = [statement, "".join(imports).rstrip(), "\n".join(fixtures)]
    return "\n\n".join(blocks) + "\n\n\n" + "\n\n\n".join(
        [*(r.rstrip() for r in rest), "\n".join(inputs), flat.forward().rstrip()]) + "\n"  # fmt: skip


def draw_once(known: Mapping[str, Any], flat: Flat) -> Any:
    return known["draw"](torch.Generator().manual_seed(1), **flat.settings[0])


def _reachable(path: str, network: Network, flat: Flat) -> bool:
    model, _ = network.make(flat.settings[0])
    return path in dict(model.named_buffers())


def _dotted(path: str) -> str:
    return re.sub(r"\.(\d+)", r"[\1]", path)


def _fixtures(settings: Sequence[Sizes]) -> list[tuple[str, int, Sizes]]:
    first, *more = settings
    rows = [("lecture", 1, first), ("probe-1", 2, first)]
    return rows + [(f"probe-{k}", k + 1, s) for k, s in enumerate(more, 2)]


def _kinds(flat: Flat) -> dict[Step, str]:
    """Of parameters: those of norms that start at 1, and tables that are looked up."""
    found: dict[Step, str] = {}
    for step in flat.steps:
        for arg, value in step.args.items():
            if isinstance(value, Step) and value.kind == "parameter":
                if step.op == "embedding":
                    found[value] = "embedding"
                elif "norm" in step.op and arg == "weight" or len(value.shape) == 1 and step.op == "mul":
                    found[value] = "gain"
    return found


@dataclass(frozen=True)
class Asked:
    """What is asked for. wanted: the items; all where there are none. stubs: without their bodies."""

    name: str
    atomic: bool = False
    wanted: Sequence[str] = ()
    stubs: bool = False


def from_model(asked: Asked, model: str, example: str) -> tuple[str, list[str]]:
    """The text of an authored file, and the items whose body is left to write."""
    name, atomic = asked.name, asked.atomic
    network, known = of_class(model, example, atomic)
    settings = network.settings()
    free = [n for n in settings[0] if len({s[n] for s in settings}) > 1]
    for fixed in (f for k in range(len(free) + 1) for f in itertools.combinations(reversed(free), k)):
        own = [{**s, **{n: settings[0][n] for n in fixed}} for s in settings]
        try:
            flat = Flat(network, own)
            text = written(name, network, known, flat)
            break
        except Unknown:  # a number that no expression in the sizes is
            continue
    return with_items(text, asked, flat)


def from_forward(asked: Asked, forward: str) -> tuple[str, list[str]]:
    """The same from a function of tensors, with FIXTURES and inputs() in its file."""
    name, atomic = asked.name, asked.atomic
    file, _, function = forward.partition("::")
    function = function or "forward"
    text, module = load(file, [function])
    tree = parsed(text, file)
    if not (hasattr(module, "FIXTURES") and hasattr(module, "inputs")):
        raise AuthoredError(
            f"{file} needs FIXTURES and inputs(g, …) beside {function}: `grader new NAME` shows how"
        )
    node = next(n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == function)
    settings = [fixture_sizes(f) for f in module.FIXTURES.values()]
    settings = [s for k, s in enumerate(settings) if s not in settings[:k]]
    called = getattr(module, function)
    takes = inspect.signature(called).parameters

    def make(sizes: Sizes) -> tuple[Any, dict[str, Any]]:
        drawn = module.inputs(torch.Generator().manual_seed(1), **sizes)
        return called, {k: v for k, v in {**sizes, **drawn}.items() if k in takes}

    try:
        for sizes in settings:
            model, given = make(sizes)
            model(**given)
    except Exception as error:
        raise AuthoredError(f"{file}: {function} stops: {type(error).__name__}: {error}") from None
    network = Network(make, settings[0], atomic, file)
    if straight_line.problem(node) is None:
        lines = {n.lineno: n.targets[0].id for n in node.body
                 if isinstance(n, ast.Assign) and isinstance(n.targets[0], ast.Name)}  # fmt: skip
        begun = skeleton.begin(name, text, function, file)
        begun = re.sub(
            "TODO: what the network is.*", f"The network is {function}, one named tensor a line.", begun
        )
        return with_items(begun, asked, Flat(network, settings, lines))
    flat = Flat(network, settings)
    for step in flat.inputs:
        if step.kind == "noise":
            said = "draws inside the forward pass: draw it in inputs(), and pass it"
            raise AuthoredError(f"{step.where[0]}, line {step.where[1]}: `{step.args['draw']}` {said}")
        if step.kind in ("buffer", "constant") and not buffer(
            step, flat, values_of(network, flat, flat.paths[step])
        ):
            raise AuthoredError(f"{file}: {step.name} is a constant of the forward pass: make it in inputs()")
    roots = [n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == "inputs"
             or isinstance(n, ast.Assign) and ast.unparse(n.targets[0]) == "FIXTURES"]  # fmt: skip
    title = name.partition(".")[0].replace("-", " ").replace("_", " ")
    about = f"The network is {function} of {Path(file).name}, step by step, one named tensor a line."
    doc = f'"""{title[:1].upper() + title[1:]}: every gradient by hand.\n\n{about}\n'
    doc += f'\n{flat.said}\n"""' if flat.said else '"""'
    if ast.get_docstring(tree):
        doc = ast.get_source_segment(text, tree.body[0]) or doc
    pieces = [(n, skeleton.text_of(text, n).rstrip()) for n in skeleton.needed(tree, roots)]
    imports = ["import torch", "import torch.nn.functional as F"]
    imports += [t for n, t in pieces if isinstance(n, ast.Import | ast.ImportFrom) and t not in imports]
    constants = [t for n, t in pieces if isinstance(n, ast.Assign)]
    functions = [t for n, t in pieces if isinstance(n, ast.FunctionDef | ast.ClassDef)]
    head = "\n\n".join([doc, "\n".join(imports), *constants])
    whole = "\n\n\n".join([head, *functions, flat.forward().rstrip()]) + "\n"
    return with_items(whole, asked, flat)


def with_items(text: str, asked: Asked, flat: Flat) -> tuple[str, list[str]]:
    """The file with an item for each tensor that has a gradient, its body where one could be written."""
    name, wanted = asked.name, asked.wanted
    filename = f"solutions/{'/'.join(name.split('.'))}.py"
    facts = build.network(text, filename)
    tracked = {s.name for s in (*flat.inputs, *flat.lines) if s.tracked}
    facts["grads"] = [n for n in facts["grads"] if n in tracked]
    parts = authored.network(text, filename)
    steps = {s.name: s for s in (*flat.inputs, *flat.lines)}
    made: dict[str, str] = {}
    left: dict[str, str] = {}
    items = skeleton.items(*parts, **facts)
    if unknown := [w for w in wanted if w not in items and f"d{w}" not in items]:
        raise AuthoredError(f"--items: there is no {unknown[0]}; there are {', '.join(items)}")
    chosen = {k: v for k, v in items.items() if not wanted or k in wanted or k[1:] in wanted}
    for item in () if asked.stubs else chosen:
        try:
            made[item] = flat.body(steps[item[1:]])
        except (operators.NotWritten, Unknown) as error:
            left[item] = str(error) or "no rule"
    order = [*parts[0], *(line.name for line in parts[1])]
    gradients = {f"d{n}" for n in order}
    while True:
        whole = [text.rstrip()]
        for item, begun in chosen.items():
            if item in made:
                begun = _filled(begun, item, made[item], order, gradients, facts["sizes"])
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


def _filled(
    begun: str, item: str, body: str, order: Sequence[str], gradients: set[str], sizes: Sequence[str]
) -> str:
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
            return {item_of[0]: f"not asked for: {str(error).rpartition(': ')[2]}"}, True
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
    said = []
    for item in parts.gradients:
        lines = [line for line in parts.lines if item.tensor in line.uses]
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
