"""Whether a file holds the text of a function that it must not hold: a solution, or a wrong body. Pure.

A body is looked for as its tokens, so that layout, comments, quotes and the names of its own variables don't
matter, in every text that a file holds: as it is, in JSON, in base64, compressed, in archives and pickles.
"""

from __future__ import annotations

import ast
import io
import re
import textwrap
import tokenize
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from grader.authoring.authored import Authored
from grader.authoring.handout.texts import texts
from grader.authoring.read_outputs import tasks

SHORTEST = 3  # tokens of a body with an upstream gradient; what is shorter, `-dy`, the signature says too
PHRASE = 5  # tokens of any other; what is shorter, `C[X]`, is a phrase that says nothing of where it is from
LONGEST = 6  # tokens of what a search begins with

TOKEN = re.compile(
    r"[^\W\d]\w*|\d+(?:\.\d*)?(?:e[+-]?\d+)?|\.\d+"
    r"|\*\*|//|[<>=!+\-*/@&|^%]=|<<|>>|->|[^\s\w'\"\\#()]"
)
SEPARATORS = ("return", ";", ">", ">>")
COMMENT = re.compile(r"#[^\n]*")

Tokens = tuple[str, ...]


@dataclass(frozen=True)
class Secret:
    """A body that must not be found, statement by statement. own: the variables that are its own."""

    name: str
    statements: tuple[Tokens, ...]
    own: frozenset[str]


def secrets(name: str, source: str, upstream: Collection[str] = ()) -> Iterator[Secret]:
    """What is to be written of definitions: functions' bodies, those of a class's methods with docstrings.

    upstream: the gradients that they may receive. Without the bodies that are too short.
    """
    for node in ast.parse(source).body:
        for function in tasks(node) if isinstance(node, ast.FunctionDef | ast.ClassDef) else []:
            found = _secret(name, function, source)
            receives = any(word in upstream for statement in found.statements for word in statement)
            if sum(map(len, found.statements)) >= (SHORTEST if receives else PHRASE):
                yield found


def _secret(name: str, function: ast.FunctionDef, source: str) -> Secret:
    body = function.body[1:] if ast.get_docstring(function) else function.body
    nodes = [n for statement in function.body for n in ast.walk(statement)]
    own = {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    own |= {n.arg for n in nodes if isinstance(n, ast.arg)}  # of functions within
    statements = [tokens(_uncommented(source, statement)) for statement in body]
    return Secret(name, tuple(s[1:] if s[0] == "return" else s for s in statements), frozenset(own))


def _uncommented(source: str, statement: ast.stmt) -> str:
    """A statement as it is written, without its comments; a # in a string is none."""
    code = textwrap.dedent(ast.get_source_segment(source, statement, padded=True) or "")
    pieces = tokenize.generate_tokens(io.StringIO(code).readline)
    return " ".join(piece.string for piece in pieces if piece.type != tokenize.COMMENT)


def tokens(text: str) -> Tokens:
    """The words, numbers and signs of a text, without parentheses, which may be many or few.

    A number in its one spelling: 1e-5 as 1e-05, 2 as 2.0.
    """
    found = TOKEN.findall(text)
    return tuple(repr(float(t)) if t[0] in "0123456789." and t != "." else t for t in found)


class Detector:
    """Finds secrets in files."""

    def __init__(self, secrets: Iterable[Secret]) -> None:
        self.secrets = list(dict.fromkeys(secrets))
        self.by_anchor: dict[int, dict[Tokens, list[tuple[int, Secret]]]] = defaultdict(
            lambda: defaultdict(list)
        )
        for one in self.secrets:
            offset, anchor = _anchor(one)
            self.by_anchor[len(anchor)][anchor].append((offset, one))

    def found(self, data: bytes) -> list[Secret]:
        """The secrets that a file's bytes hold, each once."""
        seen: dict[Secret, None] = {}
        for text in set(texts(data)):
            for spelt in {COMMENT.sub("", text), text}:
                seen |= dict.fromkeys(self.in_text(tokens(spelt)))
        return list(seen)

    def in_text(self, text: Tokens) -> Iterator[Secret]:
        for length, anchors in self.by_anchor.items():
            for at in range(len(text) - length + 1):
                for offset, one in anchors.get(text[at : at + length], ()):
                    if at >= offset and _matches(one, text, at - offset):
                        yield one


def _anchor(one: Secret) -> tuple[int, Tokens]:
    """The longest piece of a secret's first statement in which no name of its own stands, and where."""
    first = one.statements[0]
    pieces = [
        (begin, first[begin:end])
        for begin in range(len(first))
        for end in range(begin + 1, min(begin + LONGEST, len(first)) + 1)
        if not one.own & set(first[begin:end])
    ]
    return max(pieces, key=lambda piece: len(piece[1]), default=(0, first[:1]))


def _matches(one: Secret, text: Tokens, at: int) -> bool:
    """Whether a secret stands in a text at a place, its own variables under whatever names."""
    renamed: dict[str, str] = {}
    for number, statement in enumerate(one.statements):
        begins = [at] if number == 0 else _begins(text, at)
        for begin in begins:
            trial = _same(statement, text[begin : begin + len(statement)], one.own, renamed)
            if trial is not None:
                renamed, at = trial, begin + len(statement)
                break
        else:
            return False
    return True


def _begins(text: Tokens, at: int) -> Iterator[int]:
    """Where a next statement may begin: behind what separates them, a `return`, or an assignment of it."""
    while at < len(text) and text[at] in SEPARATORS:
        at += 1
    yield at
    if text[at + 1 : at + 2] == ("=",):
        yield at + 2


def _same(
    statement: Tokens, text: Tokens, own: frozenset[str], renamed: dict[str, str]
) -> dict[str, str] | None:
    """The names of a statement's own variables in a text; None where it is another statement."""
    if len(statement) != len(text):
        return None
    renamed = dict(renamed)
    for mine, theirs in zip(statement, text, strict=True):
        if mine not in own:
            if mine != theirs:
                return None
        elif not theirs.isidentifier() or renamed.setdefault(mine, theirs) != theirs:
            return None
    return renamed if len(set(renamed.values())) == len(renamed) else None


def solutions(exercise: str, parts: Authored) -> Iterator[Secret]:
    """The bodies that an exercise asks for, under their items' names."""
    for item in parts.items:
        upstream = () if item.compare else (*parts.available(item), *parts.siblings(item))
        yield from secrets(f"{exercise}.{item.name}", item.source, upstream)


def in_release(files: Mapping[str, bytes], authored: Mapping[str, Authored]) -> Iterator[tuple[str, str]]:
    """Each file of a release that holds a solution, with the item that it solves.

    What an exercise itself gives to learners, in its forward pass say, may be what another one asks for.
    """
    if not authored:
        return
    detector = Detector(one for name, parts in authored.items() for one in solutions(name, parts))
    given = {name: set(detector.in_text(tokens(parts.program))) for name, parts in authored.items()}
    for path, data in files.items():
        within = exercise_of(path)
        for one in detector.found(data):
            if one.name.rpartition(".")[0] == within or one not in given.get(within, ()):
                yield path, one.name


def exercise_of(path: str) -> str:
    """The exercise that a file of a release belongs to; nothing for one that belongs to none."""
    room, *rest = path.split("/")
    if room == "exercises":
        return ".".join(rest).rpartition(".")[0]
    return ".".join(rest[:-1]) if room == "fixtures" else ""
