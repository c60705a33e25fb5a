"""What torch does while an item runs: each operation with its place and shapes, as material for words."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

# Bound before a submission can replace them.
_Tensor, _frame = torch.Tensor, sys._getframe

MOST = 300  # operations that are kept; of more, nothing is
DEEP = 60  # calls between torch and the learner's code


class Recording(TorchFunctionMode):
    """Keeps, while it is entered, each operation that code of one file asks torch for.

    An operation is (name, place, operands, shape, dims). place: line, last line, column and last column in
    UTF-8, as the interpreter knows them. operands: of each tensor the number of the operation that made it,
    -1 where none did, and its shape. shape: of the result; None where torch refused. dims: the axes it goes
    along, where it is told.
    """

    def __init__(self, filename: str) -> None:
        super().__init__()
        self.filename = filename
        self.steps: list[tuple[Any, ...]] = []
        self.made: dict[int, tuple[int, Any]] = {}  # by id a result, kept so that no other has its id

    def __torch_function__(
        self, func: Any, types: Sequence[Any], args: Sequence[Any] = (), kwargs: Any = None
    ) -> Any:
        keywords = kwargs or {}
        operands = [
            [self.made.get(id(t), (-1,))[0], list(t.shape)] for t in _tensors((*args, *keywords.values()))
        ]
        try:
            result = func(*args, **keywords)
        except Exception:
            self._keep(func, operands, None, args, keywords)
            raise
        results = list(_tensors((result,)))
        if results and self._keep(func, operands, list(results[0].shape), args, keywords):
            self.made |= {id(t): (len(self.steps) - 1, t) for t in results}
        return result

    def _keep(self, func: Any, operands: Any, shape: Any, args: Sequence[Any], keywords: Any) -> bool:
        place = self._place()
        if not place or len(self.steps) > MOST:
            return False
        dims = keywords.get("dim", keywords.get("axis", args[1] if len(args) > 1 else None))
        whole = dims if isinstance(dims, tuple | list) else (dims,)
        plain = list(whole) if all(type(d) is int for d in whole) else None
        name = str(getattr(func, "__name__", ""))
        self.steps.append((name, place, operands, shape, plain))
        return True

    def _place(self) -> list[int] | None:
        """Where the learner's code is; None where the call is none of it."""
        frame: Any = _frame(2)
        for _ in range(DEEP):
            if frame is None or frame.f_code.co_filename == self.filename:
                break
            frame = frame.f_back
        if frame is None or frame.f_code.co_filename != self.filename:
            return None
        spot = next(islice(frame.f_code.co_positions(), frame.f_lasti // 2, None))
        return list(spot) if None not in spot else None

    def told(self, value: Any) -> list[Any] | None:
        """The number of the operation that made a value, -1 for none, and all of them; None of too many."""
        if len(self.steps) > MOST:
            return None
        return [self.made.get(id(value), (-1,))[0], [list(step) for step in self.steps]]


def _tensors(values: Iterable[Any]) -> Iterator[Any]:
    """The tensors among arguments or results, one level of lists down."""
    for value in values:
        if isinstance(value, _Tensor):
            yield value
        elif isinstance(value, tuple | list):
            yield from (v for v in value if isinstance(v, _Tensor))
