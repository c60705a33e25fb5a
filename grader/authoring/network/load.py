"""A network of the author's: what makes it at some sizes, from a file's class or function."""

from __future__ import annotations

import ast
import importlib.util
import inspect
import re
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from grader.authoring import skeleton
from grader.authoring.item import AuthoredError, parsed
from grader.authoring.network import export, plain
from grader.authoring.network.sizes import others
from grader.core.exercise import sizes as fixture_sizes

Sizes = dict[str, int]
Make = Callable[[Sizes], tuple[Any, dict[str, Any]]]


class Network:
    """A network of the author's: what makes it at some sizes, and calls it.

    make: by sizes, the model and its inputs by name. first: the lecture's sizes. place: file and line of what
    can't be found otherwise.
    """

    def __init__(self, make: Make, first: Sizes, atomic: bool, file: str) -> None:
        self.make, self.first, self.atomic = make, first, atomic
        self.graphs: dict[tuple[tuple[str, int], ...], Any] = {}
        lines = enumerate(Path(file).read_text(encoding="utf-8").splitlines(), 1)
        grad = [n for n, line in lines if re.search("no_grad|inference_mode|set_grad_enabled", line)]
        self.place = (file, grad[0] if grad else 1)

    def works(self, sizes: Sizes) -> bool:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                model, given = self.make(sizes)
                with plain.in_plain_steps(self.atomic):  # torch's own attention has 0 where all is left out
                    out = model(**given)
        except Exception:
            return False
        return all(bool(o.isfinite().all()) for o in _tensors(out))

    def graph(self, sizes: Sizes) -> Any:
        key = tuple(sizes.items())
        if key not in self.graphs:
            model, given = self.make(sizes)
            self.graphs[key] = export.export(model, given, self.atomic)
        return self.graphs[key]

    def settings(self) -> list[Sizes]:
        """The lecture's sizes, two that differ in all that may with the same steps, and those between.

        Of those each differs in one more: they tell apart what is alike by chance, 2 * d + 1 and 4 * n - 3.
        """
        first = self.graph(self.first)
        found, between = [self.first], []
        for _ in range(2):
            own = dict(self.first)
            for name, size in self.first.items():
                before = {s[name] for s in found}
                used = {*own.values(), *before}
                choices = [v for v in others(size) if v not in before]
                for value in sorted(choices, key=lambda v: (v in used, abs(v - size), v)):
                    tried = {**own, name: value}
                    if self.works(tried):
                        if export.same([first, self.graph(tried)]):  # else a loop that the size counts
                            own = tried
                            between.append(own)
                        break
            found.append(own)
        return found + between


def _tensors(out: Any) -> list[torch.Tensor]:
    if isinstance(out, torch.Tensor):
        return [out] if out.is_floating_point() else []
    if isinstance(out, Mapping):
        out = list(out.values())
    return [t for o in out for t in _tensors(o)] if isinstance(out, list | tuple) else []


def load(file: str, wanted: str) -> tuple[str, Any]:
    """A file's text and its module; AuthoredError where it can't be run, or lacks a name."""
    text = skeleton.read(file)
    tree = parsed(text, file)
    defined = [n.name for n in tree.body if isinstance(n, ast.ClassDef | ast.FunctionDef)]
    if wanted not in defined:
        what = f"function {wanted}" if wanted.islower() else wanted or "name after ::"
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


def _tried(make: Make, settings: Sequence[Sizes], what: str) -> None:
    try:
        for sizes in settings:
            model, given = make(sizes)
            model(**given)
    except Exception as error:
        raise AuthoredError(f"{what}: {type(error).__name__}: {error}") from None


@dataclass(frozen=True)
class Model:
    """What `--model` and `--example` name.

    takes: the sizes that the class's constructor gets. texts: of the class's file and of the function's.
    doc: the class's docstring. drawn: what the function returns at the lecture's sizes.
    """

    network: Network
    cls: str
    function: str
    takes: list[str]
    texts: tuple[str, str]
    doc: str
    drawn: Any


def of_class(model: str, example: str, atomic: bool) -> Model:
    file, _, cls = model.partition("::")
    file2, _, function = example.partition("::")
    text, module = load(file, cls)
    file2 = file2 or file
    text2, module2 = (text, module) if file2 == file else load(file2, function)
    if not hasattr(module2, function):
        raise AuthoredError(f"{file2} has no function {function}")
    made, draw = getattr(module, cls), getattr(module2, function)
    if not isinstance(made, type) or not issubclass(made, torch.nn.Module):
        raise AuthoredError(f"{file}: {cls} is no torch.nn.Module")
    parameters = inspect.signature(draw).parameters
    sizes = {k: p.default for k, p in parameters.items() if isinstance(p.default, int)}
    lacking = [k for k, p in list(parameters.items())[1:] if k not in sizes and p.default is p.empty]
    if lacking or not sizes:
        said = f"needs its sizes as defaults: def {function}(g, n=4, d=3)"
        raise AuthoredError(f"{file2}: {function}({', '.join(parameters)}) {said}")
    own = inspect.signature(made.__init__).parameters
    takes = [k for k in sizes if k in own]
    unset = [k for k, p in list(own.items())[1:] if p.default is p.empty and k not in sizes
             and p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]  # fmt: skip
    if unset:
        raise AuthoredError(f"{file}: {cls} needs {', '.join(unset)}: give {function} a size of that name")

    def drawn(sizes: Sizes) -> Any:
        return draw(torch.Generator().manual_seed(1), **sizes)

    def make(sizes: Sizes) -> tuple[Any, dict[str, Any]]:
        torch.manual_seed(0)
        instance = made(**{k: sizes[k] for k in takes})
        return instance, _arguments(instance, drawn(sizes))

    network = Network(make, sizes, atomic, file)
    _tried(make, [sizes], f"{file}: {cls} stops at {function}'s sizes")
    if twice := [k for k in make(sizes)[1] if k in sizes]:
        said = f"{twice[0]} is a size of {function} and an argument of {cls}'s forward: rename one of them"
        raise AuthoredError(f"{file2}: {said}")
    doc = inspect.cleandoc(made.__doc__ or "")
    return Model(network, cls, function, takes, (text, text2), doc, drawn(sizes))


def _arguments(model: torch.nn.Module, drawn: Any) -> dict[str, Any]:
    """What an example function returns, by the names of the forward pass's parameters."""
    if isinstance(drawn, Mapping):
        return dict(drawn)
    values = list(drawn) if isinstance(drawn, tuple | list) else [drawn]
    return dict(inspect.signature(model.forward).bind(*values).arguments)


def of_function(file: str, function: str, atomic: bool) -> tuple[Network, list[Sizes], str]:
    """The network of a function of tensors in a file with FIXTURES and inputs(), its sizes, and its text."""
    text, module = load(file, function)
    if not (hasattr(module, "FIXTURES") and hasattr(module, "inputs")):
        raise AuthoredError(
            f"{file} needs FIXTURES and inputs(g, …) beside {function}: `grader new NAME` shows how"
        )
    settings = [fixture_sizes(f) for f in module.FIXTURES.values()]
    settings = [s for k, s in enumerate(settings) if s not in settings[:k]]
    called = getattr(module, function)
    takes = inspect.signature(called).parameters

    def make(sizes: Sizes) -> tuple[Any, dict[str, Any]]:
        drawn = module.inputs(torch.Generator().manual_seed(1), **sizes)
        return called, {k: v for k, v in {**sizes, **drawn}.items() if k in takes}

    _tried(make, settings, f"{file}: {function} stops")
    return Network(make, settings[0], atomic, file), settings, text
