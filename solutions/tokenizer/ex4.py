"""Special tokens, and a tokenizer in a file.

A special token such as <|endoftext|> is no text: it has a number of its own, no merge makes it, and the
tokenizer looks for it before it does anything else. Whether it may is a question of safety: what a user
types must not become one unasked. And what was trained is to be kept: the merges and the special tokens,
written down as lines and read again.

minbpe has these as methods of a tokenizer; here they are functions, which are given what a tokenizer holds.
"""

import re

import torch

from grader.lecture import calls

FIXTURES = {
    "lecture": dict(seed=1, pieces=9, count=6),
    "probe-1": dict(seed=2, pieces=9, count=6),
    "probe-2": dict(seed=3, pieces=12, count=9),
    "probe-3": dict(seed=4, pieces=11, count=4),
}
OUTPUTS = {
    "allowed": "exact",
    "parts": "exact",
    "encode": "exact",
    "decode": "exact",
    "saved": "exact",
    "loaded": "exact",
}
HINTS = {
    "allowed": {
        "concept": "Five cases of `which`, one after the other. Only one of them reads the text, and whatever fits none of them is "
        "an error, so that a typing mistake does not allow anything.",
        "shapes": "text is a string, specials a dict from strings to integers, which a string or a set. allowed returns a dict "
        "like specials, or raises ValueError.",
        "example": """
    >>> allowed("hi", {"<|end|>": 100, "<|pad|>": 101}, {"<|pad|>"})
    >>> allowed("hi<|end|>", {"<|end|>": 100}, "none")
    >>> allowed("hi<|end|>", {"<|end|>": 100}, "none_raise")
    >>> allowed("hi", {"<|end|>": 100}, ["<|end|>"])
""",
        "formula": "all: every one. none: {}. none_raise: {}, or ValueError if some name is in the text. A set: those of "
        "specials whose names are in it. Anything else: ValueError.",
    },
    "parts": {
        "concept": "re.split cuts a text at a pattern, and keeps what it cut at where the pattern is a group. The pattern is "
        "all names, as plain text, with the longest first, since the first that fits is taken.",
        "shapes": "text is a string, names a list of strings. parts returns a list of strings, none of them empty.",
        "example": """
    >>> parts("a<|end|><|end|>b", ["<|end|>"])
    >>> parts("abcab", ["ab", "abc"])
    >>> parts("no name", [])
""",
        "formula": "re.split keeps what it split at if that stands in a group, (…). Write every name with re.escape, the longest "
        "first, with | between them. Without names there is nothing to split at.",
    },
    "encode": {
        "concept": "Which special tokens count is decided first, then the text is cut at these, then each piece becomes numbers: "
        "a name its own, any other text what `ordinary` says. Names that are not allowed are ordinary text.",
        "shapes": "text is a string, specials a dict from strings to integers, which as in allowed, ordinary a function from a string "
        "to a list of integers. encode returns a list of integers.",
        "example": """
    >>> def ordinary(text):
    ...     return [ord(c) for c in text]
    >>> encode("a<|end|>b", {"<|end|>": 100}, "all", ordinary)
    >>> encode("a<|end|>", {"<|end|>": 100}, "none", ordinary)
""",
        "formula": "For each piece of the text, cut at the allowed names: [its number] where it is a name, else ordinary(piece); "
        "all joined in their order.",
    },
    "decode": {
        "concept": "Every token has bytes: an ordinary one those of the vocabulary, a special one those of its name. Look in both, "
        "join the bytes, and decode once at the end.",
        "shapes": "ids is a list of integers, vocab a dict from integers to `bytes`, specials a dict from strings to integers. decode "
        "returns a string, or raises ValueError.",
        "example": """
    >>> decode([97, 100, 195, 169], {97: b"a", 195: bytes([195]), 169: bytes([169])}, {"<|end|>": 100})
    >>> decode([5], {97: b"a"}, {"<|end|>": 100})
""",
        "formula": "bytes of k: those of vocab; else the name with the number k, in UTF-8; else ValueError. All of them joined, as "
        "UTF-8 text with errors='replace'.",
    },
    "saved": {
        "concept": "Plain lines in a fixed order: the version, how many names, the names, the pairs. Dicts have an order of their "
        "own, which is not to matter: sort by the numbers.",
        "shapes": "merges is a dict from tuples of two integers to integers, specials a dict from strings to integers. saved "
        "returns a string.",
        "example": """
    >>> saved({(98, 256): 257, (97, 98): 256}, {"<|pad|>": 101, "<|end|>": 100})
""",
        "formula": "Sort the items of each dict by their number; a line for each, every one with a line end.",
    },
    "loaded": {
        "concept": "Read the lines in the order in which they were written. How many are special tokens is told before them; all "
        "that follow are merges, which are numbered from 256 on.",
        "shapes": "file is a string. loaded returns a tuple of two dicts, or raises ValueError.",
        "example": """
    >>> loaded("bpe 1\\n1\\n100 <|a b|>\\n97 98\\n256 99\\n")
    >>> loaded("bpe 2\\n0\\n")
""",
        "formula": "splitlines, then one line after the other. A name may hold spaces: split its line once. Merge number k, from "
        "0, is the pair's 256 + k.",
    },
}

NAMES = ["<|end|>", "<|end|><|end|>", "<|a b|>", "(.*)", "<|pad|>", "[x]"]
WORDS = ["Hi ", "é", "🙂", " end ", "<|", "|>", "<|start|>", "x", "a b", "\n"]


def inputs(g, pieces, count):
    """A text in which names of special tokens stand among words, their numbers, merges, lists of tokens."""
    drawn = torch.randperm(len(NAMES), generator=g).tolist()
    numbers = (torch.randperm(40, generator=g)[: len(NAMES)] + 100_000).tolist()
    specials = {NAMES[k]: n for k, n in zip(drawn, numbers)}
    choice = torch.randint(len(NAMES) + len(WORDS), (pieces,), generator=g).tolist()
    text = "".join((NAMES + WORDS)[k] for k in choice) + "<|end|><|end|><|end|>" + "Hi (.*)[x]"
    pairs = torch.randint(97, 256 + count, (count, 2), generator=g).tolist()
    merges = {tuple(pair): 256 + k for k, pair in enumerate(pairs)}
    shuffled = [list(merges.items())[k] for k in torch.randperm(len(merges), generator=g).tolist()]
    vocab = {97: b"a", 98: b"b", 128: b"\x80", 169: b"\xa9", 195: b"\xc3", 256: b"an", 257: "é".encode()}
    known = [*vocab, *numbers]
    ids = [known[k] for k in torch.randint(len(known), (pieces,), generator=g).tolist()]
    lines = [f"{n} {name}" for name, n in specials.items()]
    return dict(
        text=text,
        specials=specials,
        some=set(list(specials)[:2]),
        merges=dict(shuffled),
        vocab=vocab,
        ids=[*ids, 195, numbers[0], 169, 195, 169, 128],
        missing=[97, 90_000 + pieces],
        file="\n".join(["bpe 1", str(len(lines)), *lines, *(f"{a} {b}" for a, b in merges)]) + "\n",
    )


def allowed(text, specials, which):
    """The special tokens that are looked for in a text: a dict like `specials`, from name to number.

    `which` is "all"; "none"; "none_raise", which is none too, but a ValueError where the text holds any of
    the names; or a set of the names that are allowed, in which a name that is no special token counts for
    nothing. Anything else is a ValueError, a list of names too.
    """
    if which == "all":
        return dict(specials)
    if which == "none":
        return {}
    if which == "none_raise":
        if any(name in text for name in specials):
            raise ValueError("the text holds a special token")
        return {}
    if isinstance(which, set):
        return {name: number for name, number in specials.items() if name in which}
    raise ValueError(f"{which} is no choice of special tokens")


def use_allowed(allowed, text, specials, some):
    # What is allowed by each choice, and where that is a ValueError.
    last = list(specials)[-1]
    choices = ["all", "none", "none_raise", set(some), {*some, "unknown"}, set(), "some", None]
    choices += [sorted(some), tuple(sorted(some)), dict.fromkeys(sorted(some), 1), last, "", 1]
    texts = [(text, which) for which in choices]
    texts += [("no name here", "none_raise"), ("here: " + last, "none_raise"), ("no name here", set(some))]
    cases = [(one, specials, which) for one, which in texts]
    return calls("allowed", allowed, *cases, wants=(ValueError,))


def parts(text, names):
    """The text cut at special tokens, whose `names` are a list: a list of texts, the names among them.

    Where several names begin at one place, the longest is taken. Empty pieces are left out. Joined, the
    list is the text. A name is to be found as it is, whatever its characters mean in a regular expression.
    """
    if not names:
        return [text] if text else []
    longest_first = sorted(names, key=len, reverse=True)
    pattern = "(" + "|".join(re.escape(name) for name in longest_first) + ")"
    return [part for part in re.split(pattern, text) if part]


def use_parts(parts, text, specials, some):
    names = list(specials)
    cases = [(text, names), (text, sorted(some)), (text, []), ("", []), ("", names), (names[0], names), (f"{names[0]} \n{names[1]} ", names)]
    return calls("parts", parts, *cases, ("(.*)", [".*"]), ("a|b", ["|"]), ("abcab", ["ab", "abc", "b"]))


def encode(text, specials, which, ordinary):
    """The tokens of a text in which special tokens may stand, a list of integers.

    ordinary(text) gives the list for a text without any; it is called for each piece between two special
    tokens, and what stands on both sides of one is never encoded together; ordinary("") is []. `which` as in
    allowed.
    """
    numbers = allowed(text, specials, which)
    out = []
    for part in parts(text, list(numbers)):
        out += [numbers[part]] if part in numbers else ordinary(part)
    return out


def use_encode(encode, text, specials, some):
    # By a tokenizer that has a token for each character, and one more that says how many they were.
    def ordinary(text):
        return [ord(c) for c in text] + ([-len(text)] if text else [])

    cases = [(text, which) for which in ("all", "none", set(some), "none_raise")]
    cases += [("", "all"), ("no name", "none_raise"), (list(specials)[0], "all")]
    return calls(
        "encode", encode, *((one, specials, which, ordinary) for one, which in cases), wants=(ValueError,)
    )


def decode(ids, vocab, specials):
    """The text of a list of tokens, special ones among them.

    `vocab` has the bytes of each ordinary token, `specials` the number of each name. A number that is in
    neither is a ValueError. Bytes that are no UTF-8 become U+FFFD, once all of them are joined.
    """
    names = {number: name for name, number in specials.items()}
    pieces = []
    for k in ids:
        if k in vocab:
            pieces.append(vocab[k])
        elif k in names:
            pieces.append(names[k].encode("utf-8"))
        else:
            raise ValueError(f"{k} is no token")
    return b"".join(pieces).decode("utf-8", errors="replace")


def use_decode(decode, ids, missing, vocab, specials):
    # A list that holds special tokens, and one with a number that there is not.
    cases = [(some, vocab, specials) for some in (ids, [], missing, ids[-4:])]
    return calls("decode", decode, *cases, wants=(ValueError,))


def saved(merges, specials):
    """A tokenizer as the text of a file, each line with a line end.

        bpe 1
        how many special tokens there are
        the number and the name of each, with a space between them, the lowest number first
        the two numbers of each pair merged, with a space between them, the lowest new number first

    The new numbers are not written: they are 256, 257 and so on.
    """
    lines = ["bpe 1", str(len(specials))]
    for name, number in sorted(specials.items(), key=lambda item: item[1]):
        lines.append(f"{number} {name}")
    for left, right in sorted(merges, key=merges.get):
        lines.append(f"{left} {right}")
    return "".join(line + "\n" for line in lines)


def use_saved(saved, merges, specials):
    return calls("saved", saved, (merges, specials), (merges, {}), ({}, {}))


def loaded(file):
    """The merges and the special tokens, a pair of dicts, of the text that saved gives.

    merges is from pairs to numbers, specials from names to numbers, both in the order of the file. A text
    whose first line is not "bpe 1" is a ValueError.
    """
    head, many, *lines = file.splitlines()
    if head != "bpe 1":
        raise ValueError("not a tokenizer of version 1")
    specials = {}
    for line in lines[: int(many)]:
        number, name = line.split(" ", 1)
        specials[name] = int(number)
    merges = {}
    for k, line in enumerate(lines[int(many) :]):
        left, right = line.split(" ")
        merges[int(left), int(right)] = 256 + k
    return merges, specials


def use_loaded(loaded, file):
    # The file of a tokenizer, an empty one, and some whose first line is another.
    heads = ["bpe 2", "bpe 10", "bpe 1 ", "bpe 1.0", " bpe 1", "BPE 1", "x\nbpe 1"]
    files = [file, "bpe 1\n0\n", "bpe 1\n0\n97 98\n256 99\n", *(file.replace("bpe 1", h, 1) for h in heads)]
    found = calls("loaded", loaded, *((one,) for one in files), wants=(ValueError,))
    first = found[next(iter(found))]
    ordered = [list(one) for one in first] if isinstance(first, list | tuple) else first
    return {**found, "the order of the merges and of the special tokens": ordered}
