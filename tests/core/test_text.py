"""Text of a submission, as shown: nothing in it that a terminal or a log could obey."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from grader.core.text import LIMIT, block, escaped, text

BIDI = {*"\u061c\u200e\u200f", *map(chr, range(0x202A, 0x202F)), *map(chr, range(0x2066, 0x206A))}
# Unicode's Default_Ignorable_Code_Point, as DerivedCoreProperties.txt (15.0) has it
IGNORABLE = (
    "00AD 034F 061C 115F-1160 17B4-17B5 180B-180F 200B-200F 202A-202E 2060-206F 3164 FE00-FE0F FEFF FFA0 "
    "FFF0-FFF8 1BCA0-1BCA3 1D173-1D17A E0000-E0FFF"
)
RANGES = [[int(end, 16) for end in one.split("-")] for one in IGNORABLE.split()]
INVISIBLE = {chr(code) for ends in RANGES for code in range(ends[0], ends[-1] + 1)}
UNSAFE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}

HARMFUL = [*sorted(BIDI | INVISIBLE), *"\x1b\n\r\u2028\x9b"]
COMMANDS = st.lists(st.sampled_from(["#", "##[", "##vso[", "##VsO[x", "v", "[", "é"])).map("".join)
raws = st.text(st.characters() | st.sampled_from(HARMFUL)) | COMMANDS
SHOWN = {
    "a colour": ("\x1b[31mred", "\\x1b[31mred"),
    "a title": ("\x1b]0;x\x07", "\\x1b]0;x\\x07"),
    "eight-bit control": ("\x9b2J", "\\x9b2J"),
    "two lines": ("a\nb\r\n", "a\\x0ab\\x0d\\x0a"),
    "separators": ("a\u2028b\u2029c\x85", "a\\u2028b\\u2029c\\x85"),
    "right to left": ("\u202eabc\u2066", "\\u202eabc\\u2066"),
    "invisible": ("a\u200bb\ufeff", "a\\u200bb\\ufeff"),
    "a tag": ("\U000e0041", "\\U000e0041"),
    "Hangul fillers": ("a\u115f\u1160\u3164\uffa0", "a\\u115f\\u1160\\u3164\\uffa0"),
    "a joiner of graphemes": ("a\u034fb", "a\\u034fb"),
    "Khmer's inherent vowels": ("\u17b4\u17b5", "\\u17b4\\u17b5"),
    "Mongolian's separators": ("\u180b\u180e\u180f", "\\u180b\\u180e\\u180f"),
    "invisible operators": ("\u2060\u2061\u2064", "\\u2060\\u2061\\u2064"),
    "an empty cell of Braille": ("\u2800", "\\u2800"),
    "variants": ("a\ufe00\ufe0f\U000e0100", "a\\ufe00\\ufe0f\\U000e0100"),
    "a colon in a slice": ("x[::2] # [a]", "x[::2] # [a]"),
    "GitHub's older command": ("a ##[error]b", "a # #[error]b"),
    "Azure's command": ("##vso[task.complete]##VSO[x]", "# #vso[task.complete]# #VSO[x]"),
    "three signs": ("###[group]é", "## #[group]é"),
    "half a pair": ("\ud800", "\\ud800"),
    "backspace and delete": ("a\x08\x7f", "a\\x08\\x7f"),
    "plain": ("naïve ∂L/∂x = 5 €, Ελ, 日本", "naïve ∂L/∂x = 5 €, Ελ, 日本"),
}


def assert_harmless(shown: str) -> None:
    assert not {unicodedata.category(ch) for ch in shown} & UNSAFE
    assert not BIDI & set(shown) and not INVISIBLE & set(shown)
    assert not re.search(r"##(vso)?\[", shown, re.IGNORECASE)
    assert len(shown.splitlines()) <= 1
    shown.encode("utf-8")


@given(raws)
@example("".join(map(chr, range(0x300))))
@example("\x1b" * 1000)
def test_no_text_holds_a_control_character_a_line_break_or_a_bidi_mark(raw: str) -> None:
    assert_harmless(text(raw))


@given(raws, st.integers(1, 40))
@example("\x1b" * 1000, 500)
def test_making_a_text_harmless_twice_changes_nothing(raw: str, limit: int) -> None:
    assert text(text(raw, limit), limit) == text(raw, limit)


@given(raws, st.integers(1, 40))
def test_a_text_is_cut_at_its_limit_and_says_so(raw: str, limit: int) -> None:
    shown, whole = text(raw, limit), text(raw, 10 * len(raw) + 1)
    assert len(shown) <= limit + 1
    assert shown == (whole if len(whole) <= limit else whole[:limit] + "…")


@given(st.text(st.characters(codec="ascii", min_codepoint=32, max_codepoint=126), max_size=LIMIT))
def test_plain_text_stays_as_it_is(raw: str) -> None:
    assert text(raw) == raw or "##" in raw


def test_every_invisible_character_is_named_and_no_rendering_has_a_command() -> None:
    for ch in sorted(INVISIBLE):
        assert text(ch).isascii() and text(ch).startswith("\\")
    assert escaped(text("##vso[x]")) == r"\# \#vso\[x\]"
    assert block(b"a\n##vso[x]\n##[y]", 1000) == "a\n# #vso[x]\n# #[y]"


@pytest.mark.parametrize("raw, shown", SHOWN.values(), ids=SHOWN)
def test_what_could_be_obeyed_is_named_instead(raw: str, shown: str) -> None:
    assert text(raw) == shown


@given(st.binary(max_size=300) | raws.map(lambda s: s.encode("utf-8", "surrogatepass")))
@example(b"\xff\xfe\x00\x1b[2J\r\nx\ty\r\x0b\x0c")
@example("\u2028\u2029\x85\u202e".encode())
def test_every_line_of_a_block_is_harmless(raw: bytes) -> None:
    lines = block(raw, 10_000).split("\n")
    for line in lines:
        assert_harmless(line)
    assert len(lines) == raw.count(b"\n") + 1


@given(st.binary(max_size=300), st.integers(0, 50))
def test_a_block_shows_no_more_than_its_limit(raw: bytes, limit: int) -> None:
    assert block(raw, limit) == block(raw[:limit], 10_000)
