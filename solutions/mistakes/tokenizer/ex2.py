"""What learners get wrong here: each docstring, or first text of a tuple, is the diagnosis."""

CHANGED = {
    "train": [
        ("the pairs are counted once, before any merge: after each merge they are to be counted anew", "        counts = stats(ids)\n", "        counts = stats(list(text.encode()))\n        counts = {p: n for p, n in counts.items() if p not in merges}\n"),
        ("number and pair are exchanged: the pair is the key", "return merges", "return {number: pair for pair, number in merges.items()}"),
        ("training ends when no pair stands twice: it goes on while there is any pair", "if not counts:", "if not counts or max(counts.values()) < 2:"),
        ("the numbers begin at 0: 256 is the first new one", "= 256 + k", "= k"),
        ("the numbers begin at 257: 256 is the first new one", "= 256 + k", "= 257 + k"),
        ("the numbers begin at 255, which is a byte's: 256 is the first new one", "= 256 + k", "= 255 + k"),
        ("the numbers begin at 1: 256 is the first new one", "= 256 + k", "= 1 + k"),
        ("every merge has the number 256: each has its own, one higher", "= 256 + k", "= 256"),

        ("the list is not merged, or the result of merge not kept: the same pair comes again and again", "        ids = merge(ids, pair, 256 + k)\n", ""),
        ("of several the last one is merged: the first in the list is meant", "max(counts, key", "max(reversed(list(counts)), key"),
        ("of several the smallest pair is merged: the first in the list is meant", "max(counts, key=counts.get)", "min(counts, key=lambda p: (-counts[p], p))"),
        ("of several the largest pair is merged: the first in the list is meant", "max(counts, key=counts.get)", "max(counts, key=lambda p: (counts[p], p))"),
        ("the largest pair is merged, not the most frequent one: `key` is missing", "max(counts, key=counts.get)", "max(counts)"),
        ("the rarest pair is merged: the most frequent one is meant", "max(counts", "min(counts"),
        ("there is one merge too many", "range(count)", "range(count + 1)"),
        ("there is one merge too few", "range(count)", "range(count - 1)"),
        ("count is taken as the size of the vocabulary, with the 256 bytes: it is the number of merges", "range(count)", "range(count - 256)"),
        ("code points are merged: the bytes of UTF-8 are meant", 'list(text.encode("utf-8"))', "[ord(c) for c in text]"),
        ("what is not ASCII is left out: the bytes of UTF-8 are meant", '"utf-8"', '"ascii", errors="ignore"'),
        ("the numbers of the list come back: the merges are meant", "return merges", "return ids"),
        ("merges and list come back together: the merges are meant", "return merges", "return merges, ids"),
        ("a list of the pairs comes back: a dict with their numbers is meant", "return merges", "return list(merges)"),
        ("the counts stand where the new numbers are meant", "merges[pair] = 256 + k", "merges[pair] = counts[pair]"),
        ("the bytes of the pair are the key: the two numbers are meant", "merges[pair] = 256 + k", "merges[bytes(n % 256 for n in pair)] = 256 + k"),
        ("there is no stop where no pair is left", "        if not counts:\n            break\n", ""),
        ("pairs of tokens that were merged are left out: they can be merged again", "stats(ids)", "{p: n for p, n in stats(ids).items() if max(p) < 256}"),
        ("only the first place of each pair is merged: all of them are meant", "        ids = merge(ids, pair, 256 + k)\n", "        at = list(zip(ids, ids[1:])).index(pair)\n        ids[at : at + 2] = [256 + k]\n"),
        ("the two of a pair are sorted when they are counted: (1, 2) and (2, 1) are different pairs", "stats(ids)", "stats(ids)\n        counts = {tuple(sorted(p)): n for p, n in counts.items()}"),
        ("`return` stands in the loop: only the first merge is made", "    return merges", "        return merges\n    return merges"),
        ("the words are trained on apart: the text is one list", 'ids = list(text.encode("utf-8"))', 'ids = list("".join(text.split()).encode("utf-8"))'),
        ("training ends after the first pair that stands once, which is still merged", "        ids = merge", "        if counts[pair] == 1:\n            break\n        ids = merge"),
        ("every merge gets the same number, 256: each gets the next one", "256 + k", "256"),
        ("every merge gets the same number, 256: each gets the next one", "        merges[pair] = 256 + k\n        ids = merge(ids, pair, 256 + k)", "        merges[pair] = 256\n        ids = [256 if n < 0 else n for n in merge(ids, pair, -1)]"),
    ],
    "vocab": [
        ("bytes(k) is k zero bytes: bytes([k]) is the one byte k", "bytes([k])", "bytes(k)"),
        ("the tokens are texts: `bytes` are meant", "bytes([k])", "chr(k)"),
        ("the tokens are lists of numbers: `bytes` are meant", "bytes([k])", "[k]"),
        ("the single bytes are missing: only the merges are there", "return found", "return {k: found[k] for k in merges.values()}"),
        ("the merges are missing: only the single bytes are there", "    for (left, right), idx in merges.items():\n        found[idx] = found[left] + found[right]\n", ""),
        ("left and right are exchanged: the left part's bytes come first", "found[left] + found[right]", "found[right] + found[left]"),
        ("only the left part's bytes are there", "found[left] + found[right]", "found[left]"),
        ("only the right part's bytes are there", "found[left] + found[right]", "found[right]"),
        ("the left part's bytes are doubled", "found[left] + found[right]", "found[left] * 2"),
        ("255 is missing: range(256) is meant", "range(256)", "range(255)"),
        ("only ASCII is there: all 256 bytes are meant", "range(256)", "range(128)"),
        ("0 is missing", "range(256)", "range(1, 256)"),
        ("merged tokens are numbered from 0: their own number in merges is meant", "found[idx] =", "found[idx - 256] ="),
        ("the bytes are the keys: the numbers are meant to be", "return found", "return {b: k for k, b in found.items()}"),
        ("a list comes back: a dict is meant", "return found", "return list(found.values())"),
        ("single bytes from 128 on are two bytes here, those of a character in UTF-8", "bytes([k])", 'chr(k).encode("utf-8")'),
        ("a merged token is the pair of its parts' bytes: they are to be joined", "found[left] + found[right]", "(found[left], found[right])"),
        ("merged tokens are texts: `bytes` are meant", "return found", 'return {k: v.decode("utf-8", errors="replace") for k, v in found.items()}'),
        ("the parts are joined with a space", "found[left] + found[right]", 'found[left] + b" " + found[right]'),
        ("the numbers of the parts are made bytes, not their own bytes", "found[left] + found[right]", "bytes([left % 256, right % 256])"),
    ],
    "decode": [
        ("each token is decoded for itself: one character may lie in several, so join first", 'b"".join(known[k] for k in ids).decode("utf-8", errors="replace")', '"".join(known[k].decode("utf-8", errors="replace") for k in ids)'),
        ("what is not UTF-8 is left out: U+FFFD is to stand for it", '"replace"', '"ignore"'),
        ("what is not UTF-8 has become a question mark: U+FFFD is to stand for it", 'errors="replace")', 'errors="replace").replace("\\ufffd", "?")'),
        ("what is not UTF-8 ends in an error: errors=\"replace\" is missing", ', errors="replace"', ""),
        ("what is not UTF-8 is written as \\x…: U+FFFD is to stand for it", '"replace"', '"backslashreplace"'),
        ("each token that is not UTF-8 by itself is left out: join the bytes first", 'b"".join(known[k] for k in ids).decode("utf-8", errors="replace")', '"".join(known[k].decode("utf-8", errors="ignore") for k in ids)'),
        ("bytes come back: a text is meant", '.decode("utf-8", errors="replace")', ""),
        ("each byte is taken for a character, as Latin-1 has it: UTF-8 is meant", '"utf-8", errors="replace"', '"latin-1"'),
        ("each byte is taken for a character, as Latin-1 has it: UTF-8 is meant", 'b"".join(known[k] for k in ids).decode("utf-8", errors="replace")', '"".join(chr(b) for k in ids for b in known[k])'),
        ("what is not ASCII has become U+FFFD: UTF-8 is meant", '"utf-8"', '"ascii"'),
        ("the tokens are joined in the wrong order", "for k in ids", "for k in ids[::-1]"),
        ("the tokens are joined with a space", 'b"".join', 'b" ".join'),
        ("the last token is left out", "for k in ids", "for k in ids[:-1]"),
        ("the first token is left out", "for k in ids", "for k in ids[1:]"),
        ("a list of texts comes back: one text is meant", 'return b"".join(known[k] for k in ids).decode("utf-8", errors="replace")', 'return [known[k].decode("utf-8", errors="replace") for k in ids]'),
        ("each token comes once, as in a set", "for k in ids", "for k in dict.fromkeys(ids)"),
        ("the tokens are sorted: their order is to stay", "for k in ids", "for k in sorted(ids)"),
        ("the numbers are taken as bytes or characters: known has the bytes of each token", 'b"".join(known[k] for k in ids).decode("utf-8", errors="replace")', '"".join(chr(k) for k in ids)'),
        ("the text is stripped", 'errors="replace")', 'errors="replace").strip("\\ufffd")'),
        ("merged tokens are left out", "for k in ids", "for k in ids if k < 256"),
        ("it stands as b'…', as str() writes bytes: decode is meant", 'return b"".join(known[k] for k in ids).decode("utf-8", errors="replace")', 'return str(b"".join(known[k] for k in ids))'),
    ],
    "encode": [
        ("of the pairs the most frequent one is merged first: the lowest number in merges is meant", "pair = min(stats(ids), key=lambda p: merges.get(p, float(\"inf\")))", "pair = max(stats(ids), key=lambda p: (p in merges) * (1 + stats(ids)[p]))"),
        ("the highest number in merges goes first: the lowest is meant", "min(stats(ids), key=lambda p: merges.get(p, float(\"inf\")))", "max(stats(ids), key=lambda p: merges.get(p, -1))"),
        ("the leftmost pair that is in merges goes first: the lowest number is meant", "min(stats(ids), key=lambda p: merges.get(p, float(\"inf\")))", "min(stats(ids), key=lambda p: p not in merges)"),
        ("only one place is merged, then it ends: go on until no pair is in merges", "        ids = merge(ids, pair, merges[pair])\n", "        ids = merge(ids, pair, merges[pair])\n        break\n"),
        ("a text without pairs has no min: the case of fewer than two bytes is missing", "while len(ids) >= 2:", "while True:"),
        ("the rarest pair goes first: the lowest number in merges is meant", "pair = min(stats(ids), key=lambda p: merges.get(p, float(\"inf\")))", "pair = min(stats(ids), key=lambda p: (p not in merges, stats(ids)[p]))"),
        ("the smallest pair goes first: the lowest number in merges is meant", "min(stats(ids), key=lambda p: merges.get(p, float(\"inf\")))", "min(stats(ids), key=lambda p: (p not in merges, p))"),
        ("the merges are gone through from the last to the first: the lowest number is meant to go first", '    while len(ids) >= 2:\n        pair = min(stats(ids), key=lambda p: merges.get(p, float("inf")))\n        if pair not in merges:\n            break\n        ids = merge(ids, pair, merges[pair])\n', "    for pair, idx in reversed(list(merges.items())):\n        ids = merge(ids, pair, idx)\n"),
        ("the bytes come back as they are: nothing is merged", "    while len(ids) >= 2:", "    while False:"),
        ("code points are merged: the bytes of UTF-8 are meant", 'list(text.encode("utf-8"))', "[ord(c) for c in text]"),
        ("what is not ASCII is left out: the bytes of UTF-8 are meant", '"utf-8"', '"ascii", errors="ignore"'),
        ("only single bytes are merged: what was merged takes part too", "merges.get(p, float(\"inf\"))", "merges.get(p, float(\"inf\")) if max(p) < 256 else float(\"inf\")", "if pair not in merges:", "if pair not in merges or max(pair) > 255:"),
        ("texts of two bytes are not merged: a pair is there", "while len(ids) >= 2:", "if len(ids) == 2:\n        return ids\n    while len(ids) >= 2:"),
        ("two tokens that are left are not merged: a pair is there still", "while len(ids) >= 2:", "while len(ids) > 2:"),
        ("texts come back: integers are meant", "return ids", "return [str(n) for n in ids]"),
        ("the most frequent pair is taken, and it ends where that is not in merges: the pair with the lowest number in merges is meant", 'min(stats(ids), key=lambda p: merges.get(p, float("inf")))', "max(stats(ids), key=stats(ids).get)"),
    ],
}


def encode(text, merges):
    """the longest token that fits is taken at each place: merging goes by the lowest number in merges"""
    known = {k: bytes([k]) for k in range(256)}
    for (left, right), idx in merges.items():
        known[idx] = known[left] + known[right]
    number = {b: k for k, b in known.items()}
    data, out, at = text.encode("utf-8"), [], 0
    while at < len(data):
        end = next(e for e in range(len(data), at, -1) if data[at:e] in number)
        out.append(number[data[at:end]])
        at = end
    return out


def encode(text, merges):
    """it goes through the list once from left to right, merging each pair that is in merges: the lowest number goes first"""
    out = []
    for byte in text.encode("utf-8"):
        out.append(byte)
        while len(out) > 1 and tuple(out[-2:]) in merges:
            out[-2:] = [merges[tuple(out[-2:])]]
    return out


def encode(text, merges):
    """it goes through the list once from left to right, merging pairs of bytes alone"""
    ids, out, at = list(text.encode("utf-8")), [], 0
    while at < len(ids):
        pair = tuple(ids[at : at + 2])
        out.append(merges.get(pair, ids[at]))
        at += 2 if pair in merges else 1
    return out


def train(text, count):
    """the commonest pairs of the first count are taken all at once: after each merge they are to be counted anew"""
    ids, counts = list(text.encode("utf-8")), {}
    for pair in zip(ids, ids[1:]):
        counts[pair] = counts.get(pair, 0) + 1
    first = sorted(counts, key=counts.get, reverse=True)[:count]
    return {pair: 256 + k for k, pair in enumerate(first)}
