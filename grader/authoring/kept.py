"""An exercise's saved files, which stay as they are where what is derived agrees with them (see `near`).

Imports torch; build time only.
"""

from __future__ import annotations

import contextlib
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch

from grader.diagnosis.diagnose import OR
from grader.reference import values
from grader.reference.forward import Env
from grader.reference.near import Kept
from grader.suite import fixtures

OF_PRINTS = 1e-5  # of a fingerprint, and of the answer's size times the root of its elements
OF_MARKS = 1e-3  # the same of a call's mark: a mistake may lose digits that no right answer does
OF_PAPER = 1e-9  # of a hint's number, which is computed in float64


@dataclass(frozen=True)
class Saved:
    """What is saved of an exercise: nothing of what is missing or damaged."""

    fixtures: Mapping[str, Kept] = field(default_factory=dict)
    texts: Mapping[str, Any] = field(default_factory=dict)  # hints.json and diagnosis.json, read
    stamp: Any = None


NOTHING = Saved()


def read(root: Path, exercise: str) -> Saved:
    """An exercise's saved files. What can't be read is not kept, and so derived anew."""
    folder = root.joinpath("fixtures", *exercise.split("."))
    raw = {p.name.removesuffix(".gz"): data for p in folder.glob("*.gz") if (data := _content(p))}
    texts = {name: _json(raw.get(name, b"")) for name in ("hints.json", "diagnosis.json")}
    stamp = None
    with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
        stamp = json.loads((folder / "exercise.json").read_bytes())["stamp"]
    fixtures = {}
    for name in {file.partition(".")[0] for file in raw if file.endswith(".safetensors")}:
        files = {part: raw.get(f"{name}.{part}.safetensors", b"") for part in ("given", "reference")}
        given, reference = (_tensors(files[part]) for part in ("given", "reference"))
        fixtures[name] = Kept(given, {**given, **reference}, files)
    return Saved(fixtures, texts, stamp)


def _content(path: Path) -> bytes:
    with contextlib.suppress(OSError, ValueError):
        return fixtures.unpacked(path.read_bytes())
    return b""


def _json(data: bytes) -> Any:
    with contextlib.suppress(ValueError):
        return json.loads(data)
    return None


def _tensors(data: bytes) -> Env:
    with contextlib.suppress(safetensors.SafetensorError, ValueError, KeyError):
        return values.unpacked(safetensors.torch.load(data)) if data else {}
    return {}


def file(tensors: Mapping[str, torch.Tensor], mark: Mapping[str, Any], old: bytes) -> bytes:
    """The safetensors file of an environment: the saved one if it holds just that.

    mark: what it says of itself; which torch and kernels made it is said by those that did.
    """
    if old and _about(mark) == _about(_stated(old)):
        saved = safetensors.torch.load(old)
        if saved.keys() == tensors.keys() and all(_same(v, saved[k]) for k, v in tensors.items()):
            return old
    return safetensors.torch.save(dict(tensors), {"stamp": json.dumps(mark, sort_keys=True)})


def _stated(data: bytes) -> dict[str, Any]:
    """The mark that a file of ours bears."""
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    return dict(json.loads(header["__metadata__"]["stamp"]))


def _about(mark: Mapping[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in mark.items() if k not in ("torch", "cpu_capability")}


def _same(a: torch.Tensor, b: torch.Tensor) -> bool:
    return a.dtype == b.dtype and a.shape == b.shape and a.numpy().tobytes() == b.numpy().tobytes()


def hints(new: Any, old: Any) -> Any:
    """A story whose texts are the same and whose numbers on paper agree is the saved one."""
    return old if _alike(new, old) else new


def _alike(new: Any, old: Any) -> bool:
    if type(new) is not type(old):
        return False
    if isinstance(new, dict):
        return list(new) == list(old) and all(_alike(new[k], old[k]) for k in new)
    if isinstance(new, list):
        return len(new) == len(old) and all(map(_alike, new, old))
    if isinstance(new, float):
        return math.isclose(new, old, rel_tol=OF_PAPER, abs_tol=OF_PAPER)
    return bool(new == old)


def known(new: Any, old: Any, references: Mapping[str, Env]) -> Any:
    """What is known of mistakes: by item the saved, where the mistakes are the same and their fingerprints
    agree. references: by fixture, with sizes."""
    if not isinstance(old, dict):
        return new
    return {name: old[name] if name in old and _known(one, old[name], name, references) else one
            for name, one in new.items()}  # fmt: skip


def _known(new: Any, old: Any, item: str, references: Mapping[str, Env]) -> bool:
    sizes = {f: float(env["size." + item]) for f, env in references.items() if "size." + item in env}
    if not any("prints" not in mark for m in old["mistakes"] for mark in m["on"].values()):
        return _agree(new, old, sizes)
    rest = [{k: v for k, v in one.items() if k != "mistakes"} for one in (new, old)]
    first, other = ({(m["say"], repr(m.get("any"))): m for m in one["mistakes"]} for one in (new, old))
    common = first.keys() & other.keys()
    # whether nothing tells two mistakes of an output apart may hang on the last bits
    extra = [m for both in (first, other) for say, m in both.items() if say not in common]
    told, before = ({told for m in one["mistakes"] for told in m["say"].split(OR)} for one in (new, old))
    return (
        rest[0] == rest[1]
        and told == before
        and all(_agree(_alone(first[say]), _alone(other[say]), sizes) for say in common)
        and all(any(_agree(_alone(m), _alone(first[say]), sizes) for say in common) for m in extra)
    )


def _alone(mistake: Any) -> Any:
    return {"mistakes": [{**mistake, "say": "", "any": ""}], "branches": {}}


def _agree(new: Any, old: Any, sizes: Mapping[str, float]) -> bool:
    """Whether mistakes are the same, and their fingerprints are but for rounding."""
    if json.dumps(_blank(new)) != json.dumps(_blank(old)):
        return False
    found, saved = list(_prints(new)), list(_prints(old))
    for (on, count, prints), (_, _, others) in zip(found, saved, strict=True):
        scale = max(map(abs, (*prints, *others)), default=0.0) + sizes.get(on, 0.0) * math.sqrt(count or 1)
        within = (OF_PRINTS if count else OF_MARKS) * scale
        if not all(p == q or abs(p - q) <= within for p, q in zip(prints, others, strict=True)):
            return False
    return True


def _blank(one: Any) -> Any:
    """What an item's mistakes are without the numbers of their fingerprints."""
    if isinstance(one, dict):
        return {k: _blank(v) for k, v in one.items()}
    if isinstance(one, list):
        return [0.0 if isinstance(v, float) else _blank(v) for v in one]
    return one


def _prints(one: Any) -> Iterator[tuple[str, int, list[float]]]:
    """The fingerprints of an item: fixture, elements of the value (of an output 0), numbers."""
    for mistake in one["mistakes"]:
        for on, mark in mistake["on"].items():
            if "prints" in mark:
                yield on, max(math.prod(mark["shape"]), 1), mark["prints"]
            else:  # of an output: by call, a digest and numbers
                yield from ((on, 0, prints) for _, *prints in mark.values())
    for branch in one["branches"].values():
        for on, prints in branch.items():
            yield on, 1, prints
