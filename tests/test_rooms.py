"""The rooms of grader/: who imports whom, and what none of them may reach."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Any

from conftest import ROOT

# Ground first. A room imports itself and those it names, lazily and for types neither more.
ROOMS = {
    "core": (),
    "suite": ("core",),
    "submissions": ("core", "suite"),
    "reference": ("core",),
    "runner": ("core", "submissions", "reference"),
    "diagnosis": ("core",),
    "judging": ("core", "suite", "submissions", "runner", "diagnosis"),
    "reports": ("core", "judging"),
    "learner": ("core", "suite", "submissions", "reference", "runner", "diagnosis", "judging", "reports"),
    "classroom": ("core", "suite", "submissions", "runner", "diagnosis", "judging", "reports"),
    "authoring": ("core", "suite", "reference", "runner", "diagnosis", "judging"),
}
ROOMS["commands"] = tuple(ROOMS)
ROOMS["front"] = tuple(ROOMS)
FRONT = {"grader": "front", "grader.cli": "front", "grader.__main__": "front", "grader.testcell": "front",
         "grader.lecture": "reference"}  # fmt: skip

# What a room's modules don't import, nor does anything of ours that they import.
NEVER = {
    "core": {"numpy", "torch", "os", "pathlib", "subprocess", "socket"},
    "suite": {"torch"},
    "submissions": {"numpy", "torch"},
    "diagnosis": {"torch", "os", "pathlib"},
    "judging": {"torch"},
    "reports": {"torch"},
    "classroom": {"torch"},
}
# What a module that says it is pure doesn't reach: files, the clock, processes. A path as text is pure.
IMPURE = {"os", "pathlib", "subprocess", "socket", "time", "tempfile", "shutil", "signal", "mmap", "fcntl"}

# The modules of runner/untrusted/ that others name, and who may.
UNTRUSTED = {
    "grader.runner.untrusted.asking": ("grader.runner.warm.",),
    "grader.runner.untrusted.child": ("grader.runner.warm.",),
    "grader.runner.untrusted.loading": (
        "grader.runner.warm.zygote",
        "grader.commands.train",
        "grader.commands.shell",
    ),
    "grader.runner.untrusted.outputs": (
        "grader.authoring.author_outputs",  # the author's, run as a learner's
        "grader.commands.shell",
    ),
    "grader.reference.values": ("grader.runner.warm.load", "grader.authoring.", "grader.commands.shell"),
}

MOST = 6  # parameters of a function

FILES = {
    ".".join(p.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): p
    for p in sorted((ROOT / "grader").rglob("*.py"))
}
MODULES = [m for m in FILES if m != "grader"]


def room(module: str) -> str:
    return FRONT.get(module) or module.split(".")[1]


@cache
def tree(module: str) -> ast.Module:
    return ast.parse(FILES[module].read_text(encoding="utf-8"))


@cache
def names(module: str, types: bool = True) -> frozenset[str]:
    """The full names that a module imports anywhere in it, `grader.core.errors.UsageError` or `os`."""
    for_types = () if types else tuple(n for t in _for_types(tree(module)) for n in ast.walk(t))
    found = set()
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Import) and node not in for_types:
            found |= {a.name for a in node.names}
        elif isinstance(node, ast.ImportFrom) and node not in for_types:
            assert not node.level and node.module, "a relative import"
            found |= {f"{node.module}.{a.name}" for a in node.names}
    return frozenset(n for n in found if not n.startswith("pathlib.Pure"))


def imports(module: str, types: bool = True) -> set[str]:
    """What a module imports: ours by module, others by their first name."""
    return {_module(name) for name in names(module, types)}


def _module(name: str) -> str:
    if name.split(".")[0] != "grader":
        return name.split(".")[0]
    return name if name in FILES else name.rpartition(".")[0]


def _for_types(node: ast.AST) -> Iterator[ast.stmt]:
    for child in ast.walk(node):
        if (
            isinstance(child, ast.If)
            and isinstance(child.test, ast.Name)
            and child.test.id == "TYPE_CHECKING"
        ):
            yield from child.body


@cache
def reached(module: str) -> frozenset[str]:
    """All that a module imports, and what of ours it imports does in turn; not what is for types alone."""
    found: set[str] = set()
    todo = [module]
    while todo:
        for one in imports(todo.pop(), types=False) - found:
            found.add(one)
            if one in FILES and one != "grader":  # whose public names are imported when they are asked for
                todo.append(one)
    return frozenset(found)


def upward(module: str) -> set[tuple[str, str]]:
    ours = {one for one in imports(module) if one in FILES and one != "grader"}
    return {(module, one) for one in ours if room(one) not in (room(module), *ROOMS[room(module)])}


def impure(module: str) -> frozenset[str]:
    return reached(module) & IMPURE


def private(module: str) -> set[tuple[str, str]]:
    """Names of other modules of ours that begin with an underscore, imported or as an attribute."""
    bound = {n.rpartition(".")[2]: n for n in names(module) if n in FILES}
    found = {n for n in names(module) if n.startswith("grader.") and n.rpartition(".")[2].startswith("_")}
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.attr.startswith("_"):
            found |= {f"{bound[n]}.{node.attr}" for n in (node.value.id,) if n in bound}
    return {(module, one) for one in found if not one.endswith("__")}


PURE = [m for m in MODULES if re.search(r"\bPure\b", ast.get_docstring(tree(m)) or "")]


def found(what: Callable[[str], Any], modules: Iterable[str] = MODULES) -> dict[str, Any]:
    """Of each module what a rule finds in it, where it finds something."""
    return {module: one for module in modules if (one := what(module))}


def test_a_module_imports_only_what_its_room_may() -> None:
    assert found(upward) == {}


def test_no_import_runs_in_a_circle() -> None:
    assert found(lambda module: module in reached(module)) == {}


def test_a_room_never_reaches_what_it_does_without() -> None:
    assert found(lambda module: reached(module) & NEVER.get(room(module), set())) == {}


def test_what_says_pure_reaches_no_file_clock_or_process() -> None:
    assert found(impure, PURE) == {}
    opens = found(
        lambda m: [n for n in ast.walk(tree(m)) if isinstance(n, ast.Name) and n.id == "open"], PURE
    )
    assert opens == {}


def test_only_few_name_what_is_untrusted() -> None:
    def named(module: str) -> list[str]:
        of = {one for one in imports(module) if one.startswith("grader.runner.untrusted.")}
        return [one for one in of if not module.startswith(UNTRUSTED.get(one, ()))]

    assert found(named, [m for m in MODULES if not m.startswith("grader.runner.untrusted.")]) == {}


def test_where_threads_read_sources_one_module_parses() -> None:
    rooms = {"core", "submissions", "diagnosis", "judging", "reports", "classroom", "learner"}
    found = {m for m in MODULES if room(m) in rooms and "ast.parse(" in FILES[m].read_text(encoding="utf-8")}
    assert found == {"grader.core.parsing"}


def test_a_submissions_process_has_nothing_that_differentiates() -> None:
    assert "grader.reference.program" not in reached("grader.runner.untrusted.child")


def test_no_module_takes_a_private_name() -> None:
    assert found(private) == {}


def test_a_room_holds_a_docstring_and_nothing_else() -> None:
    for module, path in FILES.items():
        if path.name == "__init__.py" and module != "grader":
            assert ast.get_docstring(tree(module)) and len(tree(module).body) == 1, module


def long(module: str) -> set[str]:
    """The functions with more parameters than anybody remembers; self and what a star takes don't count."""
    found = set()
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            names = [a.arg for a in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
            if len(names) - (names[:1] in (["self"], ["cls"])) > MOST:
                found.add(f"{module}.{node.name}")
    return found


def test_no_function_has_too_many_parameters() -> None:
    assert found(long) == {}


# Words in modules' names that need no glossary: plain English, names of files and services, the rooms.
PLAIN = """
after api arguments arithmetic attempts author authoring autolab axes background bar batch batchnorm
bigrams brackets build calls cell cells changes choosing ci classroom classroom50 cli client code
codequality commands compare completion conditions core course dask diagnose doctor document
draw drawings edit elements errors events example excerpts explain export failure feedback
factors figures files find float64 focus folders forked formulas forward functions github giving gpt grade
gradebook grades gradescope gradients graph handout heat hints host html in insight judge judging
junit jupyter learn learner lecture limits line live load loading local magic manual micrograd missing
mistakes mlp moving names namespace nbgrader new notebook numbers otter page pages parsing place places plain
plugin
points prairielearn progress prose pytest read rebuild recurrent reference remarks reporter
reproducible
requests resting results roster run runner runs saves scope screen script search sentences
serve server services shapes shell shown similar solution source start statements suite summary
syntax table tables talk terminal testcell text texts times tolerance train training turns untrusted
uploads values variants watch wavenet wheel wrappers zeros zip
"""


def words() -> set[str]:
    """The words that modules and their folders are named after."""
    stems = (module.split(".")[1:] for module in MODULES if not module.endswith("__main__"))
    return {word for parts in stems for part in parts for word in part.split("_")}


def glossary() -> set[str]:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8").partition("## Glossary")[2]
    told = {
        word for term in re.findall(r"\*\*(.+?)\*\*", text) for word in re.findall(r"[a-z]+", term.lower())
    }
    return told | {f"{word}s" for word in told}


def test_the_glossary_has_what_modules_are_named_after() -> None:
    assert sorted(words() - set(PLAIN.split()) - glossary()) == []
    assert sorted(set(PLAIN.split()) - words()) == []  # no word is excused that no module has
