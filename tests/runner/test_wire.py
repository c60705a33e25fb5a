"""The wire: what is encoded is read back, and a stream that breaks the format is Malformed, never else."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.runner import wire
from grader.runner.wire import LENGTH, Malformed, Parser, Record, encode

Key = tuple[str, str]
END = encode({"end": True})
VALUE: dict[str, Any] = dict(
    fixture="f", item="i", status="value", dtype="float32", shape=[2], encoded="float32", sent=True
)
SILENT: dict[str, Any] = dict(fixture="f", item="i", status="not-written")
KEY: Key = ("f", "i")

names = st.text(max_size=20)
dims = st.lists(st.integers(0, 4), max_size=4)
tails = st.fixed_dictionaries(
    {},
    optional={
        "message": st.text(max_size=60),
        "line": st.none() | st.integers(1, 1 << 30),
        "reads": st.lists(names, max_size=4),
        "mutated": st.lists(names, max_size=4),
    },
)


@st.composite
def messages(draw: st.DrawFn) -> tuple[dict[str, Any], bytes]:
    """A header that a child may send, and its payload."""
    header: dict[str, Any] = {"fixture": draw(names), "item": draw(names), **draw(tails)}
    if draw(st.booleans()):
        return {**header, "status": draw(st.sampled_from(sorted(wire.STATUSES)))}, b""
    shape, encoded = draw(dims), draw(st.sampled_from(sorted(wire.WIDTH)))
    size = math.prod(shape) * wire.WIDTH[encoded]
    header |= {"status": "value", "dtype": encoded, "shape": shape, "encoded": encoded, "sent": True}
    return header, draw(st.binary(min_size=size, max_size=size))


batches = st.lists(messages(), max_size=5, unique_by=lambda m: (m[0]["fixture"], m[0]["item"]))


def record_of(header: dict[str, Any], data: bytes) -> Record:
    fields: dict[str, Any] = {
        k: tuple(v) if isinstance(v, list) else v for k, v in header.items() if k != "sent"
    }
    return Record(**fields, data=data if header.get("sent") else None)


def keys_of(batch: list[tuple[dict[str, Any], bytes]]) -> set[Key]:
    return {(h["fixture"], h["item"]) for h, _ in batch}


def raw(text: bytes, data: bytes = b"") -> bytes:
    return LENGTH.pack(len(text)) + text + data


def feed(stream: bytes, expected: set[Key] | None = None) -> Parser:
    parser = Parser({KEY} if expected is None else expected, off=())
    parser.feed(stream)
    return parser


@given(batches, st.lists(st.integers(0, 4000), max_size=12))
def test_what_is_encoded_is_read_back_however_it_is_cut(
    batch: list[tuple[dict[str, Any], bytes]], cuts: list[int]
) -> None:
    stream = b"".join(encode(h, d) for h, d in batch) + END
    marks = sorted({0, len(stream), *(c % len(stream) for c in cuts)})
    parser = Parser(keys_of(batch), off=())
    for start, stop in zip(marks, marks[1:], strict=False):
        assert not parser.complete
        parser.feed(stream[start:stop])
    assert parser.complete
    assert parser.records == {(h["fixture"], h["item"]): record_of(h, d) for h, d in batch}


def test_one_byte_at_a_time_is_as_good_as_all_at_once() -> None:
    stream = encode(VALUE, b"12345678") + END
    parser = Parser({KEY}, off=())
    for byte in stream:
        parser.feed(bytes([byte]))
    assert parser.complete and parser.records == feed(stream).records


@given(batches, st.data())
def test_a_stream_cut_short_is_not_complete_and_gives_whole_records_only(
    batch: list[tuple[dict[str, Any], bytes]], data: st.DataObject
) -> None:
    stream = b"".join(encode(h, d) for h, d in batch) + END
    parser = feed(stream[: data.draw(st.integers(0, len(stream) - 1))], keys_of(batch))
    assert not parser.complete
    whole = [record_of(h, d) for h, d in batch]
    assert list(parser.records.values()) == whole[: len(parser.records)]


JSON = {
    "nothing": b"",
    "a lone byte": b"{",
    "no JSON": b"hello there",
    "not UTF-8": b'{"bytes": 0, "item": "\xff\xfe"}',
    "deep lists": b"[" * 16_000,
    "deep objects": b'{"a":' * 3_000,
    "a number of too many digits": b'{"bytes": ' + b"9" * 10_000 + b"}",
    "a list": b"[]",
    "a string": b'"bytes"',
    "null": b"null",
    "an object without a length": b"{}",
    "two documents": b'{"bytes": 0}{"bytes": 0}',
}


@pytest.mark.parametrize("text", JSON.values(), ids=JSON)
def test_a_header_that_is_no_object_with_a_length_is_malformed(text: bytes) -> None:
    with pytest.raises(Malformed):
        feed(raw(text) + b"    ")


@pytest.mark.parametrize("length", [0, 1, wire.MAX_HEADER + 1, 1 << 31, (1 << 32) - 1])
def test_a_header_length_out_of_range_is_malformed_before_the_header_is_there(length: int) -> None:
    with pytest.raises(Malformed):
        feed(LENGTH.pack(length))


SIZES = [-1, True, False, 1.0, 0.5, "8", None, [], {}, wire.MAX_ELEMENTS * 8 + 1, 1 << 63, 1e308]


@pytest.mark.parametrize("size", SIZES, ids=repr)
def test_a_payload_length_that_is_no_size_is_malformed(size: Any) -> None:
    with pytest.raises(Malformed):
        feed(raw(json.dumps({**SILENT, "bytes": size}).encode()))


FIELDS: dict[str, dict[str, Any]] = {
    "an unknown field": {"score": 1},
    "an item that is no text": {"item": 3},
    "an item that is null": {"item": None},
    "a fixture that is a list": {"fixture": ["f"]},
    "an item that was not asked": {"item": "other"},
    "a fixture that was not asked": {"fixture": "other"},
    "a message that is too long": {"message": "x" * (wire.MAX_TEXT + 1)},
    "a dtype that is too long": {"dtype": "x" * (wire.MAX_TEXT + 1)},
    "a dtype that is no text": {"dtype": 32},
    "a status that is unknown": {"status": "exact"},
    "a status that is no text": {"status": ["value"]},
    "a status that is null": {"status": None},
    "a code that is unknown": {"code": "right"},
    "a code that is a list": {"code": ["error"]},
    "a code that is null": {"code": None},
    "a shape that is no list": {"shape": 2},
    "a shape that is a text": {"shape": "22"},
    "a shape that is null": {"shape": None},
    "a negative dimension": {"shape": [-2]},
    "two negative dimensions": {"shape": [-1, -2]},
    "a dimension true": {"shape": [True, 2]},
    "a dimension 2.0": {"shape": [2.0]},
    "a dimension that is text": {"shape": ["2"]},
    "a dimension beyond any size": {"shape": [1 << 62]},
    "too many dimensions": {"shape": [1] * 65},
    "a shape of more values": {"shape": [3]},
    "a shape of fewer values": {"shape": [1]},
    "a shape of no values": {"shape": [0]},
    "a shape of far more values": {"shape": [1 << 40, 1 << 40]},
    "values of no type": {"encoded": ""},
    "values of another type": {"encoded": "float64"},
    "values of an unknown type": {"encoded": "int32"},
    "a type that is no text": {"encoded": 4},
    "values of an item not written": {"status": "not-written"},
    "a payload that isn't announced": {"sent": False},
    "plain data that is not sent": {"sent": False, "bytes": 0, "encoded": "plain", "dtype": "plain"},
    "a flag that is a number": {"sent": 1},
    "a flag that is null": {"sent": None},
    "line 0": {"line": 0},
    "line true": {"line": True},
    "line 1.0": {"line": 1.0},
    "a line that is text": {"line": "7"},
    "a line far too large": {"line": 1 << 31},
    "reads that are a text": {"reads": "dprobs"},
    "reads that are numbers": {"reads": [1]},
    "too many reads": {"reads": ["a"] * 257},
    "mutated that is an object": {"mutated": {"a": 1}},
    "mutated that is null": {"mutated": None},
}


@pytest.mark.parametrize("change", FIELDS.values(), ids=FIELDS)
def test_a_record_with_a_field_that_breaks_the_form_is_malformed(change: dict[str, Any]) -> None:
    assert KEY in feed(encode(VALUE, b"12345678")).records
    with pytest.raises(Malformed):
        feed(encode({**VALUE, **change}, b"12345678"))


def test_more_elements_than_the_limit_are_malformed_even_with_their_bytes() -> None:
    count = wire.MAX_ELEMENTS + 1
    with pytest.raises(Malformed):
        feed(encode({**VALUE, "shape": [count]}, bytes(4 * count)))


def test_plain_data_is_taken_where_an_output_is_asked_and_nowhere_else() -> None:
    header = dict(fixture="f", item="i", status="value", dtype="plain", encoded="plain", sent=True)
    stream = encode(header, b'["l",1]')
    for allowed in (None, {KEY}):
        parser = Parser({KEY}, allowed, off=())
        parser.feed(stream)
        assert parser.records[KEY].data == b'["l",1]'
    with pytest.raises(Malformed, match="where a gradient is asked"):
        Parser({KEY}, set(), off=()).feed(stream)


def test_a_second_record_of_an_item_is_malformed() -> None:
    with pytest.raises(Malformed):
        feed(encode(SILENT) * 2)


@pytest.mark.parametrize("rest", [b"\0", b"abc", b"\0\0\0\0", END, encode(SILENT)], ids=repr)
def test_bytes_after_the_end_are_malformed(rest: bytes) -> None:
    with pytest.raises(Malformed):
        feed(END + rest)
    parser = feed(END)
    with pytest.raises(Malformed):
        parser.feed(rest)


ENDS: dict[str, tuple[dict[str, Any], bytes]] = {
    "with a payload": ({"end": True}, b"12345678"),
    "with an item": ({"end": True, **SILENT}, b""),
    "with an unknown field": ({"end": True, "score": 1}, b""),
    "that is 1": ({"end": 1}, b""),
    "that is false": ({"end": False, **SILENT}, b""),
}


@pytest.mark.parametrize("header, data", ENDS.values(), ids=ENDS)
def test_an_end_of_any_other_form_is_malformed(header: dict[str, Any], data: bytes) -> None:
    with pytest.raises(Malformed):
        feed(encode(header, data))


def test_a_stream_longer_than_the_limit_is_malformed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "MAX_SENT", 100)
    parser = Parser({KEY}, off=())
    parser.feed(LENGTH.pack(wire.MAX_HEADER) + b"x" * 96)
    with pytest.raises(Malformed):
        parser.feed(b"x")


def held(parser: Parser) -> int:
    return len(parser._buffer) + sum(len(r.data or b"") for r in parser.records.values())


def try_all(stream: bytes, expected: set[Key], size: int) -> None:
    """Feed a stream in pieces; it may only be Malformed, or fill records that were asked for."""
    parser = Parser(expected, off=())
    try:
        for start in range(0, len(stream), size):
            parser.feed(stream[start : start + size])
            assert held(parser) <= min(start + size, len(stream))
    except Malformed as error:
        assert "\n" not in str(error)
    assert set(parser.records) <= expected
    assert held(parser) <= len(stream)
    assert all(isinstance(r, Record) and r.status in wire.STATUSES for r in parser.records.values())


@given(st.binary(max_size=400), st.integers(1, 64))
def test_random_bytes_raise_nothing_but_malformed(stream: bytes, size: int) -> None:
    try_all(stream, {KEY, ("", "")}, size)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


def test_one_header_of_two_streams_has_each_ones_data() -> None:
    for data in (b"12345678", b"87654321"):
        parser = Parser({KEY})
        parser.feed(encode({"off": []}) + encode(VALUE, data) + END)
        assert parser.records[KEY].data == data


@given(st.dictionaries(st.sampled_from([*VALUE, *SILENT, "line", "reads", "end", "bytes"]), anything))
def test_random_fields_raise_nothing_but_malformed(change: dict[str, Any]) -> None:
    try_all(raw(json.dumps({**VALUE, "bytes": 8, **change}).encode(), b"12345678"), {KEY, ("", "")}, 1000)


@given(batches, st.data())
def test_random_mutations_of_a_valid_stream_raise_nothing_but_malformed(
    batch: list[tuple[dict[str, Any], bytes]], data: st.DataObject
) -> None:
    stream = bytearray(b"".join(encode(h, d) for h, d in batch) + END)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(stream) - 1))
        stop = at + data.draw(st.integers(0, 3))
        stream[at:stop] = data.draw(st.binary(min_size=1, max_size=3))
    try_all(bytes(stream), keys_of(batch), data.draw(st.integers(1, 200)))


def test_the_first_record_tells_the_confinement_and_nothing_else_comes_before_it() -> None:
    parser = Parser({KEY})
    parser.feed(encode({"off": ["landlock"]}) + encode(VALUE, b"12345678") + END)
    assert parser.off == ("landlock",) and parser.complete and KEY in parser.records


@pytest.mark.parametrize(
    "first", [VALUE, {"end": True}, {"off": "seccomp"}, {"off": [1]}, {"off": ["x"] * 17}, {}]
)
def test_a_stream_that_begins_without_word_of_the_confinement_is_malformed(first: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        Parser({KEY}).feed(encode(first, b"12345678" if first is VALUE else b""))
