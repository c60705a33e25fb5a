"""For a notebook: `from grader import draw`, a picture of what is there, by the lecture's own names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from grader.core.text import text
from grader.reference import drawn
from grader.reports.pictures import kinds
from grader.reports.pictures.svg import Picture

Namespace = Mapping[str, Any]


class Drawing:
    """A picture, or why there is none. It shows in Jupyter, and is words elsewhere; svg: as a file's text."""

    def __init__(self, picture: Picture | None, why: str = "") -> None:
        self.picture, self.why = picture, why
        self.svg = picture.alone() if picture else ""

    def __bool__(self) -> bool:
        return self.picture is not None

    def __repr__(self) -> str:
        if self.picture is None:
            return self.why
        return "\n".join(filter(None, (self.picture.title, self.picture.said, self.picture.told)))

    def _repr_html_(self) -> str | None:
        return self.svg or None


def draw(name: str, namespace: Namespace) -> Drawing:
    """The picture of that name, of what a namespace holds under the lecture's names.

    name: "counts", "embedding", …; any other name gives the list of them.
    namespace: `globals()`, or a dict of what is to be drawn. Nothing in it is changed.
    """
    if not isinstance(name, str) or name not in kinds.KINDS:
        return Drawing(None, f"there is no picture {text(str(name), 40)}; there are {', '.join(kinds.KINDS)}")
    kind = kinds.KINDS[name]
    reads = READS.get(name, kind.values)
    wanted = ", ".join(reads)
    if unwritten := next((one for one in reads if one in namespace and namespace[one] is None), None):
        return Drawing(None, f"{name} is drawn of {wanted}: {unwritten} is not written yet")
    try:
        known = FORMS.get(name, _there)(namespace, kind)
    except Exception as error:
        said = f"this namespace has no {error.args[0]}" if isinstance(error, KeyError) else text(repr(error))
        return Drawing(None, f"{name} is drawn of {wanted}: {said}")
    made = kinds.drawn(name, {k: _detached(v) for k, v in known.items()})
    return Drawing(made, "" if made else f"{name} is drawn of {wanted}: what is there doesn't fit")


def _detached(value: Any) -> Any:
    return value.detach().cpu() if hasattr(value, "detach") else value


def _there(namespace: Namespace, kind: kinds.Kind) -> Namespace:
    """The values as they are, and what may be told beside them."""
    asked = {name: namespace[name] for name in kind.values}
    return asked | {name: namespace[name] for name in ("limit", "width", "best") if name in namespace}


def _called(function: Callable[..., Any]) -> Callable[[Namespace, kinds.Kind], Namespace]:
    """What the report's driver makes of the functions in a namespace."""

    def values(namespace: Namespace, kind: kinds.Kind) -> Namespace:
        found: Namespace = function(*(namespace[name] for name in (*kind.asks, *kind.params)))
        return found

    return values


def _row(namespace: Namespace, kind: kinds.Kind) -> Namespace:
    logits, dlogits = (namespace[name].detach() for name in ("logits", "dlogits"))
    names = namespace.get("itos", [str(k) for k in range(logits.shape[1])])
    told = {"p": logits[0].softmax(0), "dlogits": len(dlogits) * dlogits[0]}
    return {**told, "label": int(namespace["Yb"][0]), "itos": names}


def _heads(namespace: Namespace, kind: kinds.Kind) -> Namespace:
    """Of att, or wei, (…, T, T), each slice: its last two axes. Weights of 0 at later places are masked."""
    wei = (namespace["att"] if "att" in namespace else namespace["wei"]).detach()
    T = wei.shape[-1]
    later = wei.new_ones(T, T).triu(1).bool() & (wei == 0)
    slices = wei.masked_fill(later, float("nan")).reshape(-1, T, T)[:12]
    names = namespace.get("tokens", [str(t) for t in range(T)])
    return {"heads": {f"slice {k + 1}": one for k, one in enumerate(slices)}, "tokens": names}


def _outs(namespace: Namespace, own: str, of: Callable[[Any], Any]) -> dict[str, Any]:
    """Of each Tanh of the lecture's `layers` what it keeps; without layers that of the only one."""
    if own in namespace and "layers" not in namespace:
        return {own: namespace[own].detach()}
    outs = [of(one.out) for one in namespace["layers"] if type(one).__name__ == "Tanh"]
    return {f"layer {k + 1}": t.detach() for k, t in enumerate(outs)}


def _layers(namespace: Namespace, kind: kinds.Kind) -> Namespace:
    outs = _outs(namespace, "h", lambda out: out)
    return {"layers": [drawn.histogram(name, t, -1.0, 1.0, 0.97) for name, t in outs.items()]}


def _grads(namespace: Namespace, kind: kinds.Kind) -> Namespace:
    grads = _outs(namespace, "dh", lambda out: out.grad)
    edge = 3 * max(float(t.std()) for t in grads.values())
    return {"layers": [drawn.histogram(name, t, -edge, edge) for name, t in grads.items()]}


def _embedding(namespace: Namespace, kind: kinds.Kind) -> Namespace:
    count = len(namespace["C"])
    default = "." + drawn.LETTERS if count == 27 else [str(k) for k in range(count)]
    return {"C": namespace["C"], "itos": namespace.get("itos", default)}


def _root(namespace: Namespace, kind: kinds.Kind) -> Namespace:
    found: Namespace = drawn.nodes(namespace["root"], {id(v): k for k, v in namespace.items() if k != "root"})
    return found


def _forest(namespace: Namespace, kind: kinds.Kind) -> Namespace:
    return {"merges": [[*pair, k] for pair, k in namespace["merges"].items()], "ids": namespace["ids"]}


def _tokens(namespace: Namespace, kind: kinds.Kind) -> Namespace:
    ids, vocab = list(namespace["ids"]), namespace["vocab"]
    return {"tokens": [vocab[k].decode("utf-8", "replace") for k in ids], "ids": ids}


FORMS: dict[str, Callable[[Namespace, kinds.Kind], Namespace]] = {
    "graph": _root,
    "neuron": _root,
    "row": _row,
    "averages": _heads,
    "attention": _heads,
    "embedding": _embedding,
    "activations": _layers,
    "gradients": _grads,
    "forest": _forest,
    "tokens": _tokens,
    "tree": _called(drawn.tree),
    "dilation": _called(drawn.dilation),
    "schedule": _called(drawn.schedule),
}
READS = {  # what each is drawn of, where that is not what `Kind.values` says
    "graph": ("root",),
    "neuron": ("root",),
    "row": ("logits", "dlogits", "Yb"),
    "averages": ("wei",),
    "attention": ("att",),
    "embedding": ("C",),
    "activations": ("layers", "h"),
    "gradients": ("layers", "dh"),
    "forest": ("merges", "ids"),
    "tokens": ("ids", "vocab"),
    "tree": ("FlattenConsecutive",),
    "dilation": ("dilated",),
    "schedule": ("rate",),
}
