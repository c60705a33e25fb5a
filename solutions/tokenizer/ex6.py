"""Tokenizers as classes, and what they are made of.

The functions of the exercises before, put together as minbpe has them: a BasicTokenizer that is trained on a text, a
RegexTokenizer that cuts the text into chunks first, and a GPT4Tokenizer whose merges are recovered from a table of
ranks, and whose bytes are shuffled. Beside them stands what the lecture shows on its way: how long a text is in each
encoding, how GPT-2 writes bytes as printable characters, and how a vocabulary is written down for people to read.

A class may be written on its own or inherit from another one of yours.
"""

import re
import unicodedata

import torch

from grader.lecture import calls

FIXTURES = {
    "lecture": dict(seed=1, words=20, count=8),
    "probe-1": dict(seed=2, words=20, count=8),
    "probe-2": dict(seed=3, words=15, count=5),
    "probe-3": dict(seed=4, words=26, count=11),
}
CARRIED = ("stats", "merge")
OUTPUTS = {
    "lengths": "exact",
    "byte_encoder": "exact",
    "basic_train": "exact",
    "basic_encode": "exact",
    "basic_decode": "exact",
    "regex_train": "exact",
    "regex_encode": "exact",
    "special": "exact",
    "saved": "exact",
    "load": "exact",
    "gpt4_encode": "exact",
    "gpt4_decode": "exact",
    "rendered": "exact",
    "vocab_lines": "exact",
}
HINTS = {
    "lengths": {
        "example": """
    >>> lengths("hé"), lengths("🙂")
""",
        "concept": "UTF-8 takes one byte to four for a character, UTF-16 two or four, UTF-32 always four. Python's names "
        "without an ending put a mark before the text that says which byte comes first.",
        "formula": "len(text.encode(name)) for 'utf-8', 'utf-16-le' and 'utf-32-le'.",
    },
    "byte_encoder": {
        "example": """
    >>> table = byte_encoder()
    >>> table[97], table[32], len(table)
""",
        "concept": "GPT-2's vocabulary is a file of text, so that every byte must be a character that can be seen. Those that "
        "can be seen stay what they are. The rest is numbered on from 256, in order.",
        "formula": "Bytes 33–126, 161–172 and 174–255 are chr(byte); the n-th of the others, from 0, is chr(256 + n). 32, "
        "the space, becomes Ġ.",
    },
    "basic_train": {
        "example": """
    >>> tokenizer = BasicTokenizer()
    >>> tokenizer.train("aaabdaaabac", 258)
    >>> tokenizer.merges
    >>> tokenizer.vocab[257]
""",
        "concept": "Merge the most frequent pair, again and again, and keep the bytes of each new token as you go: they are "
        "its two parts', side by side.",
        "formula": "vocab_size − 256 merges; merges[pair] = 256 + k; the bytes of 256 + k are those of left, then those of right.",
    },
    "basic_encode": {
        "example": """
    >>> tokenizer = BasicTokenizer()
    >>> tokenizer.merges = {(97, 98): 256}
    >>> tokenizer.encode("abcab")
""",
        "concept": "Of all pairs in the list the one that was merged first in training is merged first here.",
        "formula": "While there are two tokens or more: the pair with the least merges.get(pair, inf); stop if it is not in merges.",
    },
    "basic_decode": {
        "example": """
    >>> tokenizer = BasicTokenizer()
    >>> tokenizer.vocab = {97: b"a", 195: b"\\xc3", 169: b"\\xa9"}
    >>> tokenizer.decode([97, 195, 169]), tokenizer.decode([195])
""",
        "concept": "Bytes first, text afterwards: a character may lie across two tokens.",
        "formula": "b''.join(vocab[k] for k in ids).decode('utf-8', errors='replace').",
    },
    "regex_train": {
        "example": """
    >>> tokenizer = RegexTokenizer(r" ?\\w+")
    >>> tokenizer.train("ab ab", 257)
    >>> tokenizer.merges
""",
        "concept": "Pairs are counted over all chunks together, but no pair lies across two chunks: so there is a list of "
        "tokens for each chunk, and one dict of counts.",
        "formula": "re.findall(pattern, text); counts added over the chunks, in their order; the merge is made in each.",
    },
    "regex_encode": {
        "example": """
    >>> tokenizer = RegexTokenizer(r"[ab]|c")
    >>> tokenizer.merges = {(97, 98): 256}
    >>> tokenizer.encode_ordinary("abc")
""",
        "concept": "Each chunk is encoded by itself, and the lists come one after another.",
        "formula": "The sum of the BPE of each chunk of re.findall(pattern, text).",
    },
    "special": {
        "example": """
    >>> tokenizer = RegexTokenizer(r"\\w+")
    >>> tokenizer.register_special_tokens({"<|end|>": 900})
    >>> tokenizer.encode("a<|end|>", "all")
    >>> tokenizer.decode([97, 900])
""",
        "shapes": "special_tokens is a dict from strings to integers. text is a string; allowed_special is 'all', 'none', "
        "'none_raise' or a set of names. encode returns a list of integers, decode a string.",
        "concept": "A special token is found in the text before anything else, and is no chunk. What stands between two of "
        "them is encoded as usual. When decoding, its number is looked up beside the vocabulary.",
        "formula": "re.split('(' + '|'.join(map(re.escape, names)) + ')', text), names only where they are allowed.",
    },
    "saved": {
        "shapes": "saved() takes nothing and returns a string.",
        "example": """
    >>> tokenizer = RegexTokenizer(r"\\w+")
    >>> tokenizer.merges = {(97, 98): 256}
    >>> tokenizer.saved()
""",
        "concept": "A text that is cut by another pattern gives other tokens: so the pattern belongs to the tokenizer, as its "
        "merges do. The file of tokenizer.ex4 lacked it.",
        "formula": "bpe 2, the pattern, how many special tokens, their numbers and names, the pairs, each a line; both kinds "
        "sorted by their numbers.",
    },
    "load": {
        "shapes": "file is a string. load returns nothing, or raises ValueError.",
        "example": """
    >>> tokenizer = RegexTokenizer("")
    >>> tokenizer.load("bpe 2\\n[ab]+\\n0\\n97 98\\n")
    >>> tokenizer.pattern, tokenizer.merges, tokenizer.vocab[256]
""",
        "concept": "The vocabulary is not in the file, since the merges tell it: each new token is what its two parts were, one "
        "after the other, and both have come before.",
        "formula": "splitlines; the k-th pair, from 0, has the number 256 + k; its bytes are those of its left part, then those of its right.",
    },
    "gpt4_encode": {
        "example": """
    >>> tokenizer = GPT4Tokenizer({b"a": 1, b"b": 0, b"ab": 256}, r"\\w+")
    >>> tokenizer.encode("bab")
""",
        "concept": "The table tells each token's rank by its bytes, not by its pair. Its byte tokens are not in the order of "
        "bytes: byte b is the token that the table gives for bytes([b]).",
        "formula": "Start from ranks[bytes([b])] for each byte b of a chunk; merge the neighbours whose joined bytes have the "
        "lowest rank, until none has one.",
    },
    "gpt4_decode": {
        "example": """
    >>> tokenizer = GPT4Tokenizer({b"a": 1, b"b": 0, b"ab": 256}, r"\\w+")
    >>> tokenizer.decode([0, 256])
""",
        "concept": "The table read backwards: from a rank to the bytes.",
        "formula": "{rank: token}; join, then decode with errors='replace'.",
    },
    "rendered": {
        "example": """
    >>> len(rendered(b"a" + bytes([10]))), rendered(b"ab")
""",
        "concept": "A control character would break the line it is printed in. Unicode's category tells it: all categories of "
        "control begin with C.",
        "formula": "decode with errors='replace'; each character c with unicodedata.category(c)[0] == 'C' as "
        "f'\\\\u{ord(c):04x}'.",
    },
    "vocab_lines": {
        "example": """
    >>> vocab_lines({97: b"a", 98: b"b", 256: b"ab"}, {(97, 98): 256})
""",
        "concept": "For people, a merge is shown as what was put together. The tokens that are no merge, bytes and special "
        "ones, have no parts to show.",
        "formula": "'[left][right] -> [whole] idx' for a merge, '[whole] idx' otherwise, by number.",
    },
}

WORDS = ["a", "banana", " in", " Panama", "·", "naïve", " café,", "ééé", "日本日本", " 🙂🙂", "ana", " 12", "\n", "ban"]
PATTERN = r" ?\w+| ?[^\s\w]+|\s+"
# Merges that overlap, so that it matters which comes first.
CROWDED = {(98, 110): 256, (97, 98): 257, (110, 110): 258, (256, 97): 259, (97, 256): 260, (110, 97): 261, (195, 169): 262}


def inputs(g, words, count):
    """A text, a second one, merges of no training, a table of ranks that shuffles bytes."""
    drawn = torch.randint(len(WORDS), (2 * words,), generator=g).tolist()
    tokens, merges = [97, 98, 110, 195, 169, 256], {(97, 98): 256}
    while len(merges) < count:
        left, right = (tokens[k] for k in torch.randint(len(tokens), (2,), generator=g).tolist())
        if (left, right) not in merges:
            merges[left, right] = 256 + len(merges)
            tokens.append(255 + len(merges))
    order = torch.randperm(256, generator=g).tolist()
    ranks = {bytes([b]): k for k, b in enumerate(order)}
    ranks[b"an"] = 256
    parts = [b"a", b"n", b"b", b" ", "é".encode()[:1], "é".encode()[1:]]
    while len(ranks) < 256 + count:
        i, j = torch.randint(len(parts), (2,), generator=g).tolist()
        joined = parts[i] + parts[j]
        if joined not in ranks:
            ranks[joined] = len(ranks)
            parts.append(joined)
    return dict(
        text="".join(WORDS[k] for k in drawn[:words]),
        other="".join(WORDS[k] for k in drawn[words:]) + "banana éé",
        size=256 + count,
        merges=merges,
        ranks=ranks,
        ids=[97, 195, 169, 256, 255 + count, 128, *torch.randint(97, 256 + count, (6,), generator=g).tolist()],
        number=100_000 + 7 * words,
        letters="".join("abnné "[k] for k in torch.randint(6, (12 * words,), generator=g).tolist()),
    )


def stats(ids, counts=None):
    """How often each pair of neighbours occurs in `ids`, added to `counts`: yours of tokenizer.ex1 and ex3."""
    counts = {} if counts is None else counts
    for pair in zip(ids, ids[1:]):
        counts[pair] = counts.get(pair, 0) + 1
    return counts


def merge(ids, pair, idx):
    """A copy of `ids` with `idx` in the place of each `pair`: yours of tokenizer.ex1."""
    out = []
    for number in ids:
        if out and (out[-1], number) == tuple(pair):
            out[-1] = idx
        else:
            out.append(number)
    return out


def lengths(text):
    """How many bytes a text has in UTF-8, UTF-16 and UTF-32: a list of three numbers.

    Without the mark for the order of bytes, which Python writes for "utf-16" and "utf-32". "hé" has 3, 4 and 8.
    """
    return [len(text.encode(name)) for name in ("utf-8", "utf-16-le", "utf-32-le")]


def byte_encoder():
    """GPT-2's table from each byte, 0 to 255, to a printable character: a dict.

    Bytes whose character in Latin-1 is printable and no space are that character: "!" to "~", "¡" to "¬", "®" to "ÿ". The
    other 68 get the characters with the numbers 256, 257 and so on, the lowest byte first.
    """
    seen = [*range(33, 127), *range(161, 173), *range(174, 256)]
    table = {b: chr(b) for b in seen}
    for b in range(256):
        if b not in table:
            table[b] = chr(256 + len(table) - len(seen))
    return table


class BasicTokenizer:
    """Byte-pair encoding of a whole text. It has `merges`, from pairs to numbers, and `vocab`, from numbers to bytes."""

    def __init__(self):
        self.merges = {}
        self.vocab = {k: bytes([k]) for k in range(256)}

    def train(self, text, vocab_size, verbose=False):
        """Set merges and vocab by a training on the text's UTF-8 bytes, up to vocab_size tokens.

        As in tokenizer.ex2: the most frequent pair, of several the one first seen; fewer merges where no pair is left.
        """
        ids = list(text.encode("utf-8"))
        self.merges, self.vocab = {}, {k: bytes([k]) for k in range(256)}
        for idx in range(256, vocab_size):
            counts = stats(ids)
            if not counts:
                break
            pair = max(counts, key=counts.get)
            ids = merge(ids, pair, idx)
            self.merges[pair] = idx
            self.vocab[idx] = self.vocab[pair[0]] + self.vocab[pair[1]]

    def encode(self, text):
        """The tokens of a text, a list, by the merges that there are."""
        ids = list(text.encode("utf-8"))
        while len(ids) >= 2:
            pair = min(stats(ids), key=lambda p: self.merges.get(p, float("inf")))
            if pair not in self.merges:
                break
            ids = merge(ids, pair, self.merges[pair])
        return ids

    def decode(self, ids):
        """The text of tokens, by vocab; what is no UTF-8 becomes U+FFFD."""
        return b"".join(self.vocab[k] for k in ids).decode("utf-8", errors="replace")


class RegexTokenizer:
    """Byte-pair encoding within the chunks of a pattern. Beside merges and vocab it has special tokens."""

    def __init__(self, pattern):
        self.pattern = pattern
        self.merges = {}
        self.vocab = {k: bytes([k]) for k in range(256)}
        self.special_tokens = {}

    def train(self, text, vocab_size, verbose=False):
        """Set merges and vocab by a training on the chunks of the text, whose pairs are counted together.

        Chunks are what re.findall gives for the pattern. Counts run through the chunks in their order; ties and ends are as
        in BasicTokenizer.
        """
        chunks = [list(chunk.encode("utf-8")) for chunk in re.findall(self.pattern, text)]
        self.merges, self.vocab = {}, {k: bytes([k]) for k in range(256)}
        for idx in range(256, vocab_size):
            counts = {}
            for ids in chunks:
                counts = stats(ids, counts)
            if not counts:
                break
            pair = max(counts, key=counts.get)
            chunks = [merge(ids, pair, idx) for ids in chunks]
            self.merges[pair] = idx
            self.vocab[idx] = self.vocab[pair[0]] + self.vocab[pair[1]]

    def register_special_tokens(self, special_tokens):
        """Take a dict from the names of special tokens to their numbers."""
        self.special_tokens = dict(special_tokens)

    def encode_ordinary(self, text):
        """The tokens of a text in which special tokens are no more than characters: chunk by chunk."""
        out = []
        for chunk in re.findall(self.pattern, text):
            ids = list(chunk.encode("utf-8"))
            while len(ids) >= 2:
                pair = min(stats(ids), key=lambda p: self.merges.get(p, float("inf")))
                if pair not in self.merges:
                    break
                ids = merge(ids, pair, self.merges[pair])
            out += ids
        return out

    def encode(self, text, allowed_special="none_raise"):
        """The tokens of a text; allowed_special is "all", "none", "none_raise" or a set of names, as in tokenizer.ex4.

        "none_raise" is a ValueError, or an AssertionError as in minbpe, where the text holds any special token.
        """
        if allowed_special == "all":
            special = self.special_tokens
        elif allowed_special == "none":
            special = {}
        elif allowed_special == "none_raise":
            special = {}
            if any(name in text for name in self.special_tokens):
                raise ValueError("the text holds a special token")
        else:
            special = {k: v for k, v in self.special_tokens.items() if k in allowed_special}
        if not special:
            return self.encode_ordinary(text)
        out = []
        for part in re.split("(" + "|".join(re.escape(name) for name in special) + ")", text):
            out += [special[part]] if part in special else self.encode_ordinary(part)
        return out

    def decode(self, ids):
        """The text of tokens, special ones among them. A number that is neither is a ValueError."""
        names = {number: name for name, number in self.special_tokens.items()}
        pieces = []
        for k in ids:
            if k in self.vocab:
                pieces.append(self.vocab[k])
            elif k in names:
                pieces.append(names[k].encode("utf-8"))
            else:
                raise ValueError(f"{k} is no token")
        return b"".join(pieces).decode("utf-8", errors="replace")

    def saved(self):
        """The tokenizer as the text of a file: as in tokenizer.ex4, but of version 2, with the pattern as its second line.

        So the first line is "bpe 2". A pattern holds no line end.
        """
        lines = ["bpe 2", self.pattern, str(len(self.special_tokens))]
        for name, number in sorted(self.special_tokens.items(), key=lambda item: item[1]):
            lines.append(f"{number} {name}")
        for left, right in sorted(self.merges, key=self.merges.get):
            lines.append(f"{left} {right}")
        return "".join(line + "\n" for line in lines)

    def load(self, file):
        """Become the tokenizer that `saved` wrote: pattern, special tokens, merges and vocab.

        file is the text that `saved` gives. What the tokenizer knew before is gone.
        A file whose first line is not "bpe 2" is a ValueError, or an AssertionError as in minbpe.
        """
        head, pattern, many, *lines = file.splitlines()
        if head != "bpe 2":
            raise ValueError("not a tokenizer of version 2")
        self.pattern = pattern
        self.special_tokens, self.merges = {}, {}
        self.vocab = {k: bytes([k]) for k in range(256)}
        for line in lines[: int(many)]:
            number, name = line.split(" ", 1)
            self.special_tokens[name] = int(number)
        for k, line in enumerate(lines[int(many) :]):
            left, right = map(int, line.split(" "))
            self.merges[left, right] = 256 + k
            self.vocab[256 + k] = self.vocab[left] + self.vocab[right]


class GPT4Tokenizer:
    """A tokenizer of which there is only a table from the bytes of each token to its rank, which is its number."""

    def __init__(self, ranks, pattern):
        self.ranks = ranks
        self.pattern = pattern

    def encode(self, text):
        """The tokens of a text, chunk by chunk: always the two neighbours whose joined bytes have the lowest rank.

        Of several such places the leftmost is merged first. A single byte's number is ranks[bytes([b])], and not b.
        """
        out = []
        for chunk in re.findall(self.pattern, text):
            parts = [bytes([b]) for b in chunk.encode("utf-8")]
            while len(parts) >= 2:
                found = [self.ranks.get(a + b, float("inf")) for a, b in zip(parts, parts[1:])]
                best = min(found)
                if best == float("inf"):
                    break
                at = found.index(best)
                parts[at : at + 2] = [parts[at] + parts[at + 1]]
            out += [self.ranks[part] for part in parts]
        return out

    def decode(self, ids):
        """The text of tokens; what is no UTF-8 becomes U+FFFD."""
        tokens = {rank: token for token, rank in self.ranks.items()}
        return b"".join(tokens[k] for k in ids).decode("utf-8", errors="replace")


def rendered(token):
    """A token's bytes as text to print: U+FFFD for what is no UTF-8, and control characters escaped.

    A character whose category in Unicode begins with C is written as a backslash, u and its number in four hexadecimal
    digits: a line end as \\u000a.
    """
    chars = token.decode("utf-8", errors="replace")
    return "".join(f"\\u{ord(c):04x}" if unicodedata.category(c)[0] == "C" else c for c in chars)


def vocab_lines(vocab, merges):
    """minbpe's .vocab: a list of lines, one for each token of vocab, by number.

    "[left][right] -> [whole] 256" for a token that is in merges, "[whole] 97" for any other, each text as rendered
    gives it.
    """
    pairs = {idx: pair for pair, idx in merges.items()}
    lines = []
    for idx in sorted(vocab):
        line = f"[{rendered(vocab[idx])}] {idx}"
        if idx in pairs:
            left, right = (rendered(vocab[k]) for k in pairs[idx])
            line = f"[{left}][{right}] -> {line}"
        lines.append(line)
    return lines


def use_lengths(lengths, text, other):
    return calls("lengths", lengths, (text,), (other,), ("hé",), ("🙂",), ("",), ("日本",))


def use_byte_encoder(byte_encoder):
    """GPT-2's table from each byte to a printable character, as a list of pairs by byte."""
    return sorted(byte_encoder().items())


def trained(tokenizer):
    """What a training has left: the merges in order, and the tokens that they made."""
    vocab = {k: bytes(v) for k, v in sorted(tokenizer.vocab.items()) if k > 250}
    return {"merges": list(tokenizer.merges.items()), "vocab from 251 on": vocab, "its size": len(tokenizer.vocab)}


def use_basic_train(BasicTokenizer, text, other, size):
    """A BasicTokenizer's merges and vocab after a training, after a second one, and on a short text."""
    found, tokenizer = {}, BasicTokenizer()
    for some, most in ((text, size), (other[::-1], size - 3), ("aaabdaaabac", 259), ("é", 300), ("", 260)):
        tokenizer.train(some, most)
        found[f"after train({some!r}, {most})"] = trained(tokenizer)
    return found


def given(tokenizer, merges):
    """A tokenizer with these merges, instead of a training."""
    tokenizer.merges = dict(merges)
    tokenizer.vocab = {k: bytes([k]) for k in range(256)}
    for (left, right), idx in merges.items():
        tokenizer.vocab[idx] = tokenizer.vocab[left] + tokenizer.vocab[right]
    return tokenizer


def use_basic_encode(BasicTokenizer, text, other, letters, merges):
    """What a BasicTokenizer with merges of ours makes of several texts."""
    tokenizer = given(BasicTokenizer(), merges)
    some = ((text,), (other,), ("bananaé",), ("ab",), ("abn",), ("x",), ("",))
    made = calls("encode", tokenizer.encode, *some)
    crowded = calls("encode", given(BasicTokenizer(), CROWDED).encode, (letters,), (letters[::-1],))
    return {**made, **{f"with the merges {CROWDED}, {said}": ids for said, ids in crowded.items()}}


def use_basic_decode(BasicTokenizer, merges, ids):
    """The texts of several lists of tokens, some of which are no UTF-8."""
    tokenizer = given(BasicTokenizer(), merges)
    return calls("decode", tokenizer.decode, (ids,), (ids[1:3],), ([128],), ([],))


def use_regex_train(RegexTokenizer, text, other, size):
    """A RegexTokenizer's merges and vocab after trainings with two patterns."""
    found = {}
    for pattern in (PATTERN, r"[^n]+|n"):
        tokenizer = RegexTokenizer(pattern)
        for some, most in ((text, size), (other, size - 2), ("ab", 300)):
            tokenizer.train(some, most)
            found[f"with the pattern {pattern!r}, after train({some!r}, {most})"] = trained(tokenizer)
    return found


def use_regex_encode(RegexTokenizer, text, other, letters, merges):
    """What encode_ordinary makes of several texts, with merges of ours, and with two patterns."""
    found = {}
    for pattern in (PATTERN, r"[^bn]+|[bn]"):
        tokenizer = given(RegexTokenizer(pattern), merges)
        some = ((text,), (other,), ("bananaé",), ("abab",), ("",))
        made = calls("encode_ordinary", tokenizer.encode_ordinary, *some)
        found |= {f"with the pattern {pattern!r}, {said}": ids for said, ids in made.items()}
    crowded = given(RegexTokenizer(PATTERN), CROWDED)
    made = calls("encode_ordinary", crowded.encode_ordinary, (letters,), (letters[::-1],))
    return {**found, **{f"with the merges {CROWDED}, {said}": ids for said, ids in made.items()}}


def use_special(RegexTokenizer, text, other, merges, number):
    """Texts with special tokens, by each choice of those that are allowed, and the way back."""
    tokenizer = given(RegexTokenizer(PATTERN), merges)
    tokenizer.register_special_tokens({"<|end|>": number, "(.*)": number + 1})
    mixed = f"{text}<|end|>{other[:9]}(.*)<|end|>"
    refused = (ValueError, AssertionError)
    cases = [(mixed, "all"), (mixed, "none"), (mixed, {"(.*)"}), (text, "none_raise"), (text,), ("", "all")]
    found = calls("encode", tokenizer.encode, *cases)
    for case in ((mixed,), (mixed, "none_raise")):
        said = "".join(f", {which!r}" for which in case[1:])
        try:
            found[f"encode of a text with special tokens{said}"] = tokenizer.encode(*case)
        except refused:
            found[f"encode of a text with special tokens{said}"] = {"raises": "ValueError or an AssertionError"}
    back = calls("decode", tokenizer.decode, ([97, number, 256, number + 1],), ([number],), ([195, number, 169],))
    return {**found, **back, **calls("decode", tokenizer.decode, ([97, number + 2],), wants=(ValueError,))}


def shuffled(items, number):
    """A dict's items in another order than that of their numbers."""
    items = list(items)
    return dict(items[number % len(items) :] + items[: number % len(items)])


def use_saved(RegexTokenizer, merges, number):
    """The files of tokenizers with two patterns, with special tokens and without, and of one that knows nothing."""
    found = {}
    names = {"<|end|>": number + 5, "(.*)": number, "<|a b|>": number + 9}
    for pattern, special in ((PATTERN, names), (r"[^bn]+|[bn]", {}), ("", {"<|end|>": number})):
        tokenizer = given(RegexTokenizer(pattern), merges if pattern else {})
        tokenizer.merges = shuffled(merges.items(), 1) if pattern else {}
        tokenizer.special_tokens = dict(special)
        found[f"saved() of the pattern {pattern!r} with {len(special)} special tokens"] = tokenizer.saved()
    return found


def use_load(RegexTokenizer, merges, number):
    """What a tokenizer holds that had another pattern, merges and names before it loaded a file."""
    found = {}
    pairs = [f"{left} {right}" for left, right in merges]
    special = {number: b"<|end|>", number + 3: b"<|a b|>"}  # which minbpe's own load has in vocab too
    for pattern, names in ((PATTERN, [f"{k} {name.decode()}" for k, name in special.items()]), (r"[^bn]+|[bn]", [])):
        tokenizer = given(RegexTokenizer("."), CROWDED)
        tokenizer.special_tokens = {"(.*)": 7}
        tokenizer.load("".join(f"{line}\n" for line in ("bpe 2", pattern, len(names), *names, *pairs)))
        tokenizer.vocab = {k: v for k, v in tokenizer.vocab.items() if not names or special.get(k) != v}
        known = {"pattern": tokenizer.pattern, "special_tokens": dict(tokenizer.special_tokens)}
        found[f"after the file of {pattern!r}"] = {**known, **trained(tokenizer)}
    for head in ("bpe 1", "bpe 20", "x\nbpe 2"):
        try:
            RegexTokenizer(".").load(f"{head}\n.\n0\n97 98\n")
            found[f"a first line {head!r}"] = "loaded"
        except (ValueError, AssertionError):
            found[f"a first line {head!r}"] = {"raises": "ValueError or an AssertionError"}
    return found


def use_gpt4_encode(GPT4Tokenizer, text, other, letters, ranks):
    """What a tokenizer of a table of ranks makes of several texts."""
    tokenizer = GPT4Tokenizer(dict(ranks), PATTERN)
    some = ((text,), (other,), (letters,), ("bananaé ananas",), ("aaaaaaa",), ("an",), ("a",), ("",))
    return calls("encode", tokenizer.encode, *some)


def use_gpt4_decode(GPT4Tokenizer, ranks, size):
    """The texts of several lists of tokens, some of which are no UTF-8."""
    tokenizer = GPT4Tokenizer(dict(ranks), PATTERN)
    some = [ranks[b"a"], ranks["é".encode()[:1]], ranks["é".encode()[1:]], size - 1, 256, ranks[b"\x80"]]
    return calls("decode", tokenizer.decode, (some,), (some[1:3],), (some[1:2],), ([],))


def use_rendered(rendered, text):
    some = [text.encode(), b"a\nb", b"\x7f\x1b[0m", b"\xf0\x9f", "\u200b\u00ad".encode(), b""]
    return calls("rendered", rendered, *((token,) for token in some))


def use_vocab_lines(vocab_lines, merges, number):
    """The lines of a vocabulary with merges and with a special token."""
    vocab = {k: bytes([k]) for k in range(256)}
    for (left, right), idx in merges.items():
        vocab[idx] = vocab[left] + vocab[right]
    few = {k: vocab[k] for k in (98, 10, 97)} | {number: b"<|end|>"}
    halves = {195: b"\xc3", 169: b"\xa9", 300: "é".encode()}
    return {
        "vocab_lines(vocab, merges)": vocab_lines(vocab, dict(merges)),
        "of a few": vocab_lines(few, {}),
        "of é and its two bytes": vocab_lines(halves, {(195, 169): 300}),
    }
