"""What an output rests on by the text is what its driver calls when the author's own functions are run."""

import sys
from types import FunctionType
from typing import Any

import pytest
from conftest import EXERCISES, GRADIENTS, ROOT, sampled
from local import Local

from grader.core.exercise import Task, definition
from grader.diagnosis import resting
from grader.diagnosis.syntax import definitions
from grader.reference.outputs import Solution, received

SEEN_TWO_WAYS = {  # a minus before what is no Value; encode is a method of strings too
    ("micrograd.ex4", "op", "Value.__neg__"),
    ("tokenizer.ex6", "gpt4_decode", "GPT4Tokenizer.encode"),
}
NOT_SEEN = {  # operators and methods of what the text does not show to be a Value
    *(
        ("micrograd.ex2", name, f"Value.{m}")
        for name in ("order", "backward")
        for m in ("__pow__", "tanh", "exp")
    ),
    ("micrograd.ex2", "tanh_from_exp", "Value.__pow__"),
    ("micrograd.ex4", "sub", "Value.__neg__"),
    *(("micrograd.ex4", "readme", f"Value.__{m}__") for m in ("radd", "rtruediv", "rmul")),
}


def called(solution: Solution, item: Any, env: dict[str, Any], codes: dict[Any, str]) -> set[str]:
    """The learner's definitions that run while an item's driver does."""
    found: set[str] = set()

    def watch(frame: Any, event: str, _: Any) -> None:
        if event == "call" and frame.f_code in codes:
            found.update((codes[frame.f_code], definition(codes[frame.f_code])))

    sys.setprofile(watch)
    try:
        solution.result(item, env)
    finally:
        sys.setprofile(None)
    return found


@pytest.mark.parametrize("exercise", sampled([e for e in EXERCISES if e not in GRADIENTS], 4))
def test_an_output_rests_on_what_it_calls(exercise: str, exercises: dict[str, Task]) -> None:
    task = exercises[exercise]
    outputs = task.exercise.outputs
    path = ROOT.joinpath("solutions", *exercise.split(".")).with_suffix(".py")
    stub = definitions(ROOT.joinpath("exercises", *exercise.split(".")).with_suffix(".py").read_bytes())
    own = {name: node for name, node in definitions(path.read_bytes()).items() if name in stub}
    solution, codes = Solution(path.read_text(), path.name), {}
    for name in own:
        whole, _, method = name.partition(".")
        value = solution.names[whole]
        value = vars(value)[method] if method else value
        if isinstance(value := getattr(value, "__func__", value), FunctionType):
            codes[value.__code__] = name
    env = next(iter(Local(*task).given.values()))
    subjects = {output.about for output in outputs}
    for output in outputs:
        said = resting.goes_through(output, definitions(task.exercise.program.encode()), own) & subjects
        real = called(solution, output, {**env, **received(solution, outputs, output, env)}, codes)
        false = said - real - {output.about}
        assert {(exercise, output.name, one) for one in false} <= SEEN_TWO_WAYS
        missed = {(exercise, output.name, one) for one in real & subjects - said}
        assert missed <= NOT_SEEN


def test_text_has_an_encode_of_its_own() -> None:
    text = b"""
def train(text): return list(text.encode()), bytes(3).decode(errors="replace"), "x".encode("utf-8")
class Tokenizer:
    def encode(self, text): return []
    def decode(self, ids): return self.encode("utf-16")
    def both(self, text): return self.decode(text)
"""
    own = definitions(text)
    assert resting.reached(own, ["train"]) == {"train"}
    assert "Tokenizer.encode" in resting.reached(own, ["Tokenizer.both"])
