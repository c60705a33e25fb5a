"""Other tokenizers, and what goes wrong with any.

SentencePiece, which Llama's tokenizer was made with, merges code points and not bytes, and has a rule for each thing that
it never saw. And the lecture ends with what is strange about language models because of their tokenizers: numbers that
are cut anywhere, a space that is left over at the end, tokens that no text ever held, and a vocabulary that grows after
the training, for which tables must grow as well.
"""

import re

import torch

from grader.lecture import calls

FIXTURES = {
    "lecture": dict(seed=1, words=14, V=9, C=4),
    "probe-1": dict(seed=2, words=14, V=9, C=4),
    "probe-2": dict(seed=3, words=11, V=7, C=3),
    "probe-3": dict(seed=4, words=18, V=12, C=6),
}
OUTPUTS = {
    "prefixed": "exact",
    "covered": "exact",
    "ids": "exact",
    "text_of": "exact",
    "digits_apart": "exact",
    "integer_lengths": "exact",
    "stranded_space": "exact",
    "untrained": "exact",
    "resized": "approximate",
}
HINTS = {
    "prefixed": {
        "example": """
    >>> prefixed("a b")
""",
        "concept": "A word at the beginning has no space before it, and would be another token than the same word within a text. "
        "So a space is put there; and spaces are written with a character that can be seen.",
        "formula": "A space before the text; then every space in it, that one too, becomes ▁.",
    },
    "covered": {
        "example": """
    >>> covered("abba c", 0.5)
""",
        "concept": "Rare characters are not worth a token each. The frequent ones are taken until they make up enough of the "
        "text.",
        "formula": "By falling count, equals by code point: take characters until their counts are at least share · len(text).",
    },
    "ids": {
        "example": """
    >>> ids("aé", ["a"], True), ids("aé", ["a"], False)
""",
        "concept": "A character that has no piece is written as its UTF-8 bytes, each of which has a token. Without this fallback all "
        "such characters are one token, unknown, and are lost.",
        "formula": "259 + its place in pieces; else 3 + b for each byte b, or 0 without the fallback.",
    },
    "text_of": {
        "example": """
    >>> text_of([259, 198, 172], ["a"])
""",
        "concept": "The numbers tell which kind they are: below 3 control, then the bytes, then the pieces. Bytes that stand side by "
        "side make characters together, so all is joined as bytes first.",
        "formula": "b''.join of bytes([k − 3]) or pieces[k − 259].encode(); decode with errors='replace'; ▁ to a space.",
    },
    "digits_apart": {
        "example": """
    >>> digits_apart("a 12b")
""",
        "concept": "If each digit is a piece of its own, all numbers are written alike, and a model can learn to add.",
        "formula": "re.findall with two alternatives: one digit, \\d, or as many characters as there are that are none, \\D+.",
    },
    "integer_lengths": {
        "example": """
    >>> integer_lengths(lambda text: list(text), 12)
""",
        "concept": "Whether a number is one token, two or three depends on what was merged, not on how large it is.",
        "formula": "len(encode(str(n))) for n from 0 on.",
    },
    "stranded_space": {
        "example": """
    >>> stranded_space("a ", lambda text: [ord(c) for c in text])
    >>> stranded_space("a", lambda text: [ord(c) for c in text])
""",
        "concept": "A space belongs to the word that follows. At the end of a prompt it stands alone, and such a token hardly ever "
        "came before a word in training.",
        "formula": "The last number of encode(text) is the one of encode(' '); False where the text is empty.",
    },
    "untrained": {
        "example": """
    >>> untrained([[0, 2], [2]], 5)
""",
        "concept": "A tokenizer may have been trained on another text than the model. A token that the model's text never held has "
        "an embedding that no step has changed.",
        "formula": "All k in range(vocab_size) that are in none of the lists, in order.",
    },
    "resized": {
        "example": """
    >>> resized(torch.tensor([[1.0], [3.0]]), torch.tensor([[0.0], [1.0]]), 1)
""",
        "concept": "A new token needs a row in the table and a row in the head. The old ones stay what they are; the new ones begin "
        "at the mean, so that they surprise nobody.",
        "formula": "torch.cat([wte, wte.mean(0).expand(n, −1)]), and the same of the head.",
    },
}

WORDS = ["an", "Übung", "12", "日本", "ab ba", "2024", " ", "🙂", "7", "né", "aa", "b3b", "Ü"]


def inputs(g, words, V, C):
    """A text, pieces, lists of tokens, merges of digits, a table and a head."""
    drawn = [WORDS[k] for k in torch.randint(len(WORDS), (words,), generator=g).tolist()]
    order = torch.randperm(6, generator=g).tolist()
    return dict(
        text=" ".join(drawn),
        other="".join(drawn[::2]) + "aab",
        shares=[0.5 + V / 100, 0.95, 1.0],
        pieces=[["▁", "a", "n", "b", "Ü", "日"][k] for k in order],
        tokens=torch.randint(3, 265, (words,), generator=g).tolist(),
        pairs={str(k) for k in torch.randint(10, 100, (3 * V,), generator=g).tolist()},
        lists=[torch.randint(V, (C,), generator=g).tolist() for _ in range(2)],
        wte=torch.randn((V, C), generator=g),
        lm_head=torch.randn((V, C), generator=g),
    )


def prefixed(text):
    """A text as SentencePiece sees it: with a space before it, and each space written as ▁ (U+2581)."""
    return (" " + text).replace(" ", "▁")


def covered(text, share):
    """The characters that get a piece: the most frequent ones, until they cover at least `share` of the text; a list.

    The most frequent comes first, equally frequent ones in the order of their code points. No more are taken than needed.
    """
    counts = {}
    for c in text:
        counts[c] = counts.get(c, 0) + 1
    found, sum_so_far = [], 0
    for c in sorted(counts, key=lambda c: (-counts[c], c)):
        if sum_so_far >= share * len(text):
            break
        found.append(c)
        sum_so_far += counts[c]
    return found


def ids(text, pieces, fallback):
    """The numbers of a text's characters: a list.

    0, 1 and 2 are the unknown token and the two that begin and end a text; the bytes 0 to 255 have the next numbers, from 3
    on; then come the pieces, a list of characters, from 259 on. A character without a piece is its UTF-8 bytes where
    fallback is True, else it is the unknown token.
    """
    found = []
    for c in text:
        if c in pieces:
            found.append(259 + pieces.index(c))
        else:
            found += [3 + b for b in c.encode("utf-8")] if fallback else [0]
    return found


def text_of(numbers, pieces):
    """The text of such numbers, none of which is below 3. ▁ becomes a space; what is no UTF-8 becomes U+FFFD."""
    parts = [bytes([k - 3]) if k < 259 else pieces[k - 259].encode("utf-8") for k in numbers]
    return b"".join(parts).decode("utf-8", errors="replace").replace("▁", " ")


def digits_apart(text):
    """The text cut so that each digit stands alone, and what is between digits stays together: a list."""
    return re.findall(r"\d|\D+", text)


def integer_lengths(encode, n):
    """How many tokens each of the numbers 0 to n - 1 is, written in digits: a list. encode(text) gives a list of tokens."""
    return [len(encode(str(k))) for k in range(n)]


def stranded_space(text, encode):
    """Whether a text ends in a space that is a token of its own: True or False.

    encode(text) gives a list of tokens. The text may be empty.
    """
    found = encode(text)
    return bool(found) and found[-1:] == encode(" ")


def untrained(lists, vocab_size):
    """The tokens, of vocab_size, that occur in none of several lists: a list, the lowest number first."""
    seen = {k for some in lists for k in some}
    return [k for k in range(vocab_size) if k not in seen]


def resized(wte, head, n):
    """The embedding and the head of a model whose vocabulary has grown by n tokens: a pair of tensors.

    Both have a row for each token, (V, C). The rows that there are stay; each new one is the mean of them.
    """
    return tuple(torch.cat([old, old.mean(0).expand(n, -1)]) for old in (wte, head))


def use_prefixed(prefixed, text, other):
    return calls("prefixed", prefixed, (text,), (other,), (" hello  world ",), ("a\nb\tc",), ("\n",), ("",))


def use_covered(covered, text, other, shares):
    return calls("covered", covered, *((some, share) for some in (text, other) for share in shares), ("abba", 0.5))


def use_ids(ids, text, other, pieces):
    cases = [(some, pieces, fallback) for some in (text.replace(" ", "▁"), other) for fallback in (True, False)]
    return calls("ids", ids, *cases, ("né", ["é", "n"], True))


def use_text_of(text_of, tokens, pieces):
    some = [3 + b for b in "né🙂".encode()]
    return calls("text_of", text_of, (tokens, pieces), ([*some, 259, 260], pieces), (some[:2], pieces), ([258, 100, 3], pieces), ([259 + pieces.index("▁"), 100], pieces), ([], pieces))


def use_digits_apart(digits_apart, text, other):
    return calls("digits_apart", digits_apart, (text,), (other,), ("a 12,345 b",), ("2024",), ("",))


def use_integer_lengths(integer_lengths, pairs):
    """The lengths of numbers, by a tokenizer that has merged some pairs of digits."""

    def encode(text):
        out, at = [], 0
        while at < len(text):
            step = 2 if text[at : at + 2] in pairs else 1
            out.append(text[at : at + step])
            at += step
        return out

    return {f"integer_lengths(encode, {n})": integer_lengths(encode, n) for n in (5, 130)}


def use_stranded_space(stranded_space, text):
    """Texts with a space at the end and without, by a tokenizer that puts spaces before words."""

    def encode(some):
        return [sum(map(ord, piece)) for piece in re.findall(r" ?\S+|\s+?(?=\s\S)|\s+", some)]

    def backwards(some):
        return [sum(map(ord, piece)) for piece in re.findall(r"\w |\w+?(?=\w )|\w+|\s", some)]

    some = (text.strip(), text.strip() + " ", "Ice cream", "Ice cream ", " ", "", "a  ", "a  b", "Ice cream\n")
    found = {f"stranded_space({one!r}, encode)": stranded_space(one, encode) for one in some}
    for one in ("ab ", "ab  "):
        found[f"stranded_space({one!r}, one that joins a space to a letter before it)"] = stranded_space(one, backwards)
    return found


def use_untrained(untrained, lists, V):
    return calls("untrained", untrained, (lists, V), (lists[:1], V), ([], 3), ([[0, 2], [2]], 5))


def use_resized(resized, wte, lm_head):
    """The tables of a vocabulary that has grown by several tokens, by one, and by none."""
    return {f"resized(wte, head, {n})": list(resized(wte.clone(), lm_head.clone(), n)) for n in (3, 1, 0)}
