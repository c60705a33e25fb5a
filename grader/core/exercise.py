"""An exercise as data: its forward program, its items, and its saved runs, as exercise.json has them. Pure.

`Exercise.from_json` is the only way in from outside; `to_json` gives the very same text back.
"""

from __future__ import annotations

import typing
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from functools import cache, cached_property
from types import NoneType
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, TypeVar, cast

if TYPE_CHECKING:
    from numpy.typing import NDArray

FORMAT = 2  # of exercise.json
ALT = "alt:"  # names gradients for items that also ask for a sibling's; see draws.tensors
LOSSES = "losses"  # the record of a training run beside its parameters: each step's loss, to be drawn
FEW = "few."  # before a parameter's name: its value after the first steps of a training
TRAINING = "training"  # the item, and the fixture, of a training run

T = TypeVar("T")


@dataclass(frozen=True)
class Line:
    """One line of the forward program: the tensor it names, its code, and the tensors it reads."""

    name: str
    code: str
    uses: tuple[str, ...]


@dataclass(frozen=True)
class Gradient:
    """An item that asks for the gradient of a tensor, as the function d<tensor>.

    params: what the stub's function receives. cut: the tensors whose upstream gradients those are.
    siblings: gradients among them that don't lie between the tensor and the loss. available: the gradients
    that a learner may ask for, nearest to the loss first, the siblings last.
    """

    name: str
    tensor: str
    params: tuple[str, ...] = ()
    cut: tuple[str, ...] = ()
    siblings: tuple[str, ...] = ()
    available: tuple[str, ...] = ()
    doc: str = ""

    def to_json(self) -> dict[str, Any]:
        return dict(_told(self))


@dataclass(frozen=True)
class Output:
    """An item that asks for what a function or class gives.

    compare: "exact" or "approximate". asks: the functions and classes of the learner's file that it needs.
    driver: the function that calls them, "" where there is none. receives: the results that it takes from
    items before it. uses: the items whose functions its own calls. about: the definition that it judges, or
    the method, as Value.tanh.
    """

    name: str
    params: tuple[str, ...] = ()
    doc: str = ""
    compare: str = "exact"
    asks: tuple[str, ...] = ()
    driver: str = ""
    receives: tuple[str, ...] = ()
    uses: tuple[str, ...] = ()
    about: str = ""

    cut: ClassVar[tuple[str, ...]] = ()  # no upstream gradient is for an output
    siblings: ClassVar[tuple[str, ...]] = ()
    available: ClassVar[tuple[str, ...]] = ()

    @property
    def tensor(self) -> str:
        """What `Exercise.shapes` has it under."""
        return self.name

    @property
    def exact(self) -> bool:
        return self.compare == "exact"

    @property
    def judged(self) -> str:
        return definition(self.about)

    def to_json(self) -> dict[str, Any]:
        none: dict[str, Any] = {"cut": (), "siblings": (), "available": ()}
        return {"name": self.name, "tensor": self.tensor, "params": self.params, **none, **_told(self)}


Item = Gradient | Output


@dataclass(frozen=True)
class Stated:
    """What exercise.json states of another file's content."""

    sha256: str
    bytes: int


@dataclass(frozen=True)
class FixtureEntry:
    """One run whose tensors are saved. settings: its seed, how many steps it was trained, and its sizes."""

    name: str
    settings: Mapping[str, Any]
    given: Stated
    reference: Stated

    @cached_property
    def sizes(self) -> dict[str, Any]:
        return sizes(self.settings)

    @property
    def is_probe(self) -> bool:
        return is_probe(self.name)


@dataclass(frozen=True)
class Training:
    """A training run with the items' gradients: `few` steps of flat code, else `steps`.

    lr, lr_late: the learning rates of its halves. calibrate: the tensors whose values over the whole
    training set stand for a batch's, once it is trained.
    """

    parameters: tuple[str, ...]
    steps: int
    few: int
    lr: float
    lr_late: float
    calibrate: tuple[str, ...]


@dataclass(frozen=True)
class Exercise:
    """A forward program and its items, and what lies on disk for it.

    statement: what it is about, in plain text; its first line is the title. program: the authored file
    without the items. inputs: the forward pass's arguments. shapes: by name each tensor's, each gradient's
    and each output's, at the lecture's sizes. stamp: what the saved bytes depend on. diagnosis, hints,
    derived: files beside exercise.json; notebook: the text of the one that a learner begins with.
    """

    id: str
    title: str = ""
    statement: str = ""
    stamp: Mapping[str, str] = field(default_factory=dict)
    program: str = ""
    inputs: tuple[str, ...] = ()
    lines: tuple[Line, ...] = ()
    shapes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    items: tuple[Item, ...] = ()
    training: Training | None = None
    fixtures: tuple[FixtureEntry, ...] = ()
    diagnosis: Stated = Stated("", 0)
    hints: Stated = Stated("", 0)
    derived: Stated = Stated("", 0)
    notebook: Stated | None = None

    @cached_property
    def gradients(self) -> tuple[Gradient, ...]:
        return tuple(item for item in self.items if isinstance(item, Gradient))

    @cached_property
    def outputs(self) -> tuple[Output, ...]:
        return tuple(item for item in self.items if isinstance(item, Output))

    @cached_property
    def tensors(self) -> tuple[str, ...]:
        """What the forward pass starts from and names, sizes that it takes among them."""
        return (*self.inputs, *(line.name for line in self.lines))

    @property
    def batch(self) -> tuple[str, ...]:
        """The tensors that each step of a training run has others of."""
        parameters = self.training.parameters if self.training else self.inputs
        return tuple(n for n in self.inputs if n not in parameters and n not in self.size_names)

    @cached_property
    def names(self) -> frozenset[str]:
        """What keeps its letters where a sentence begins with it: tensors, gradients, sizes, functions."""
        own = {n for item in self.items for n in (item.name, *getattr(item, "asks", ()), *item.params)}
        return frozenset(own | self.size_names | {d + t for t in self.tensors for d in ("", "d")})

    @property
    def loss(self) -> str:
        return self.lines[-1].name

    @property
    def lecture(self) -> FixtureEntry:
        return self.fixtures[0]

    @cached_property
    def sizes(self) -> dict[str, dict[str, Any]]:
        """By fixture its sizes: what items may ask for by name."""
        return {entry.name: entry.sizes for entry in self.fixtures}

    @cached_property
    def size_names(self) -> frozenset[str]:
        return frozenset(name for own in self.sizes.values() for name in own)

    def item(self, name: str) -> Item:
        """KeyError where there is none of this name."""
        return {item.name: item for item in self.items}[name]

    def is_gradient(self, name: str) -> bool:
        return name[:1] == "d" and name[1:] in self.tensors

    @cached_property
    def gradients_given(self) -> frozenset[str]:
        """The gradients that a submission can ask for: no others have to be saved."""
        names = (n for i in self.gradients for n in (*i.available, *i.params))
        return frozenset(n for n in names if self.is_gradient(n))

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Exercise:
        """From what exercise.json holds. KeyError, TypeError or ValueError where it is of another form."""
        return read(cls, told)

    def to_json(self) -> dict[str, Any]:
        """What exercise.json holds, its digest apart, with tuples for lists."""
        told: dict[str, Any] = {"format": FORMAT}
        for one in fields(self):
            value = getattr(self, one.name)
            told[one.name] = [item.to_json() for item in value] if one.name == "items" else _told(value)
            if one.name == "lines":
                told["tensors"] = self.tensors
        return told


def _told(value: Any) -> Any:
    """As `dataclasses.asdict`, but what can't change is not copied, which takes most of its time."""
    if hasattr(value, "__dataclass_fields__"):
        return {name: _told(getattr(value, name)) for name in value.__dataclass_fields__}
    if isinstance(value, Mapping):
        return {name: _told(one) for name, one in value.items()}
    return type(value)(map(_told, value)) if isinstance(value, list | tuple) else value


@dataclass(frozen=True)
class Reference:
    """What one fixture's answers are compared with, by item name.

    values: the reference gradients. sizes: the size each answer would have if nothing in it
    cancelled (see `Program.pull`), which sets the absolute part of the tolerance. bounds: for the items
    whose float32 is too far from their float64 for that rule. plain: outputs that are no tensors, encoded.
    """

    values: Mapping[str, NDArray[Any]]
    sizes: Mapping[str, float]
    bounds: Mapping[str, float] = field(default_factory=dict)
    plain: Mapping[str, bytes] = field(default_factory=dict)
    raw: dict[str, tuple[bytes, Any]] = field(default_factory=dict, compare=False)  # kept by compare.held


@dataclass(frozen=True)
class Fixtures:
    """An exercise's saved tensors, verified. `given` holds the files' bytes, as a child gets them."""

    given: Mapping[str, bytes]
    references: Mapping[str, Reference]
    diagnosis: bytes = b"{}"  # what is known of mistakes, by item; see `diagnose.Known`


class Task(NamedTuple):
    """An exercise with what its answers are held against."""

    exercise: Exercise
    fixtures: Fixtures


class File(NamedTuple):
    """A submission: the name that is shown of it, and its bytes."""

    name: str
    data: bytes


@dataclass(frozen=True)
class How:
    """How a submission is to be graded.

    items: names to grade; None for all, the training run included. strict: flat code too must be right at
    other sizes than the lecture's. rename: what flat code calls otherwise, its names -> ours. seed: of fresh
    probes beside the saved ones; secret: nobody is told it.
    """

    items: Collection[str] | None = None
    strict: bool = False
    rename: Mapping[str, str] = field(default_factory=dict)
    seed: int | None = None
    secret: bool = False


def is_probe(fixture: str) -> bool:
    return fixture.startswith("probe")


def sizes(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The sizes in a fixture's settings: what items may ask for by name."""
    return {k: v for k, v in settings.items() if k not in ("seed", "trained")}


def definition(about: str) -> str:
    """The definition that an output is about, the whole class where that is a method."""
    return about.partition(".")[0]


def read(kind: type[T], told: Mapping[str, Any]) -> T:
    """One of the classes above, from its JSON object."""
    return cast(T, _reader(cast(Any, kind))(told))


@cache
def _reader(kind: Any) -> Callable[[Any], Any]:
    """What makes a value of a field's type from plain data, or raises as `Exercise.from_json` says."""
    args = typing.get_args(kind)
    if kind is Item:
        return lambda told: _reader(Output if "compare" in told else Gradient)(told)
    if NoneType in args:
        perhaps = _reader(args[0])
        return lambda told: None if told is None else perhaps(told)
    if is_dataclass(kind):
        types = typing.get_type_hints(kind)
        parts = [(field.name, _reader(types[field.name])) for field in fields(kind)]
        return lambda told: cast(Any, kind)(**{name: read(told[name]) for name, read in parts})
    if typing.get_origin(kind) is tuple:
        each, some = _reader(args[0]), _reader(list)
        return lambda told: tuple(map(each, told if type(told) is tuple else some(told)))
    if args:
        key, value = map(_reader, args)
        return lambda told: {key(k): value(v) for k, v in told.items()}

    def plain(told: Any) -> Any:
        if kind is not Any and type(told) is not kind and not (kind is float and type(told) is int):
            raise ValueError(f"{told!r:.40} is no {kind.__name__}")
        return told

    return plain
