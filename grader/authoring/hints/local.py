"""The local gradients of what works number by number, each with what to say of it: for hints and for bodies.

A local gradient is written in the operation's arguments (x or a and b, of losses x and the target t), its
result y, and of what runs along axes the mean mu and how many there are; `hit` is 1 where it holds, else 0.
"""

from __future__ import annotations

import ast
import contextlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from grader.authoring.hints.notation import code, number
from grader.authoring.hints.site import NoRule, Site, Step, followed, leading, operation, parts, spread


@dataclass(frozen=True)
class Local:
    """What to say, and the local gradient: of several arguments one for each.

    say: a third one where the other of two is a constant.
    """

    say: str | tuple[str, ...]
    to: str | tuple[str, ...] = "1"
    names: tuple[str, ...] = ("x",)
    nice: tuple[float, ...] = ()  # inputs that are good to calculate with
    constants: Mapping[str, float] = field(default_factory=dict)  # arguments by position, with defaults

    def at(self, place: int, constant: bool = False) -> tuple[str, str]:
        """What to say of an argument, and its local gradient."""
        say = (self.say,) if isinstance(self.say, str) else self.say
        to = (self.to,) if isinstance(self.to, str) else self.to
        return say[2] if constant and len(say) > 2 else say[min(place, len(say) - 1)], to[place]


LN = tuple(math.log(k) for k in (1, 2, 3, 4))
POSITIVE = (1.0, 2.0, 4.0, 0.5)
PAIR = ("a", "b")
SUM = "A sum hands the upstream gradient on to each summand as it is."
PRODUCT = "In a product, the local gradient with respect to one factor is the other factor, here {other}."
CHOSEN = "Of two numbers one is passed on, and gets the gradient; the other gets 0."

LOCAL: dict[str, Local] = {
    "add": Local((SUM, SUM, ""), ("1", "1"), PAIR),
    "sub": Local(
        (
            "In the difference {text} the first part gets the upstream gradient as it is.",
            "{x} is subtracted, so it gets the upstream gradient with its sign changed.",
        ),
        ("1", "-1"),
        PAIR,
    ),
    "mul": Local(
        (PRODUCT, PRODUCT, "The constant factor {other} stays a factor on the way back."), ("b", "a"), PAIR
    ),
    "div": Local(
        (
            "Dividing by {other} forwards is dividing by it backwards.",
            "{x} stands in the denominator: the derivative of 1/x, times the numerator.",
        ),
        ("1/b", "-(a/b**2)"),
        PAIR,
    ),
    "pow": Local(
        (
            "A power, element by element: the power rule, with the exponent going down by one.",
            "{x} is an exponent: the derivative of aˣ is aˣ · ln a.",
        ),
        ("b*a**(b - 1)", "y*ln(a)"),
        PAIR,
    ),
    "maximum": Local(CHOSEN, ("hit(a > b)", "hit(b > a)"), PAIR),
    "minimum": Local(CHOSEN, ("hit(b > a)", "hit(a > b)"), PAIR),
    "masked_fill": Local(
        (
            "Where the mask is set, the value was overwritten: nothing of it reaches the loss, and its "
            "gradient is 0. Elsewhere the upstream gradient passes.",
            "{x} stands wherever the mask is set: there the upstream gradient goes to it.",
        ),
        ("hit(not mask)", "", "hit(mask)"),
        ("x", "mask", "value"),
    ),
    "where": Local(
        "where chooses one of two: the upstream gradient goes to the one that was chosen, the other gets 0.",
        ("", "hit(test)", "hit(not test)"),
        ("test", "a", "b"),
    ),
    "exp": Local(
        "The exponential works element by element, and it is its own derivative: the number that you "
        "need has been computed in the forward pass already.",
        "y",
        nice=LN,
    ),
    "log": Local(
        "The logarithm works element by element; take its derivative from calculus, at {x}.",
        "1/x",
        nice=POSITIVE,
    ),
    "tanh": Local(
        "tanh works element by element. Its derivative is simplest when written with its output, {y}, "
        "and not with its input.",
        "1 - y**2",
        nice=tuple(math.atanh(v) for v in (0, 0.5, -0.5, 0.8)),
    ),
    "sigmoid": Local(
        "The sigmoid works element by element; its derivative is simplest when written with its output, {y}.",
        "y*(1 - y)",
        nice=(0.0, math.log(3), -math.log(3), math.log(4)),
    ),
    "relu": Local(
        "A ReLU is a gate: where its input is positive the gradient passes unchanged, elsewhere nothing "
        "does.",
        "hit(x > 0)",
        nice=(-2.0, -1.0, 1.0, 2.0, 3.0),  # not 0, where it has a corner
    ),
    "leaky_relu": Local(
        "A leaky ReLU is two straight lines: where its input is positive the gradient passes unchanged, "
        "elsewhere it is made smaller by the slope of the negative side.",
        "hit(x > 0) + negative_slope*(1 - hit(x > 0))",
        nice=(-2.0, -1.0, 1.0, 3.0),
        constants={"negative_slope": 0.01},
    ),
    "elu": Local(
        "An ELU is the identity where its input is positive, and an exponential less a constant elsewhere: "
        "there the derivative is the exponential alone, which the output, {y}, gives back.",
        "hit(x > 0) + (1 - hit(x > 0))*(y + alpha)",
        nice=(-math.log(2), -math.log(4), 1.0, 2.0),
        constants={"alpha": 1.0},
    ),
    "sqrt": Local(
        "A square root is the power ½; its derivative is simplest when written with its output.",
        "1/(2*y)",
        nice=(1, 4, 16, 0.25),
    ),
    "rsqrt": Local(
        "A reciprocal square root is the power −½: the power rule. It is simplest when written with the "
        "output, {y}.",
        "-(y**3/2)",
        nice=(1, 4, 16, 0.25),
    ),
    "square": Local("A square, element by element: the power rule.", "2*x"),
    "reciprocal": Local("1/x is the power −1: the power rule.", "-(x**-2)", nice=POSITIVE),
    "neg": Local("The minus stays a minus.", "-1"),
    "sin": Local("The sine works element by element.", "cos(x)"),
    "cos": Local("The cosine works element by element.", "-sin(x)"),
    "abs": Local("The absolute value passes the gradient with the sign of its input.", "sign(x)"),
    "gelu": Local(
        "GELU is x · Φ(x), with Φ the normal distribution function: the product rule, and Φ' is the normal "
        "density.",
        "Phi(x) + x*phi(x)",
    ),
    "silu": Local(
        "SiLU is x · σ(x), with σ the sigmoid: the product rule, and σ' is σ · (1 − σ).",
        "sigma(x)*(1 + x*(1 - sigma(x)))",
    ),
    "softplus": Local("Softplus is ln(1 + eˣ); its derivative is the sigmoid of its input.", "sigma(x)"),
    "logsigmoid": Local("The logarithm of a sigmoid: its derivative is 1 minus the sigmoid.", "1 - sigma(x)"),
    "hardswish": Local(
        "Hardswish is x · (x + 3)/6 between −3 and 3: the product rule. Above it is x, below it 0.",
        "hit(x > 3) + hit(3 >= x)*hit(x > -3)*(2*x + 3)/6",
        nice=(-4.0, -1.0, 1.0, 2.0, 4.0),
    ),
    "hardsigmoid": Local(
        "A hard sigmoid is a line between −3 and 3 and level elsewhere.",
        "hit(3 > x)*hit(x > -3)/6",
        nice=(-4.0, -1.0, 1.0, 2.0, 4.0),
    ),
    "relu6": Local(
        "A ReLU that ends at 6: between 0 and 6 the gradient passes, elsewhere nothing does.",
        "hit(x > 0)*hit(6 > x)",
        nice=(-2.0, 1.0, 3.0, 7.0),
    ),
    "hardtanh": Local(
        "Between its two ends it is the identity, and level beyond: there nothing comes back.",
        "hit(x > min_val)*hit(max_val > x)",
        nice=(-2.0, -0.5, 0.5, 2.0),
        constants={"min_val": -1.0, "max_val": 1.0},
    ),
    "selu": Local(
        "A SELU is two pieces, each times a constant: a line, and below 0 an exponential.",
        "1.0507009873554805*(hit(x > 0) + (1 - hit(x > 0))*1.6732632423543772*exp(x))",
        nice=(-math.log(2), -math.log(4), 1.0, 2.0),
    ),
    "mish": Local(
        "Mish is x · tanh(softplus(x)): the product rule, with the derivatives of tanh and of softplus.",
        "tanh(ln(1 + exp(x))) + x*(1 - tanh(ln(1 + exp(x)))**2)*sigma(x)",
    ),
    "atan": Local("The arc tangent works element by element.", "1/(1 + x**2)"),
    "log1p": Local(
        "ln(1 + x) works element by element: the derivative of the logarithm.",
        "1/(1 + x)",
        nice=(0.0, 1.0, 3.0, -0.5),
    ),
    "expm1": Local("eˣ − 1 has the derivative of the exponential.", "exp(x)", nice=LN),
    "log2": Local("log₂ x is ln x / ln 2.", "1/(x*ln(2))", nice=POSITIVE),
    "erf": Local("The error function's derivative is a bell curve.", "2*exp(-x**2)/1.7724538509055159"),
    **dict.fromkeys(("clone", "contiguous", "float"), Local("")),
}

# what runs along axes; less: how many, or one less
REDUCED: dict[str, Local] = {
    "sum": Local(
        "A sum over {over}: each number of {x} enters one total, with weight 1. So the upstream gradient of "
        "that total is handed to all of its summands: a sum forwards is a broadcast backwards."
    ),
    "mean": Local(
        "A mean over {over}: each number enters it with the same weight, one over how many there are, and "
        "gets that share of the upstream gradient.",
        "1/count",
    ),
    "var": Local(
        "A variance: each number counts by its distance from the mean, over {less}. That the mean moves as "
        "well makes no difference, because the distances from it sum to 0.",
        "2*(x - mu)/less",
    ),
    "std": Local(
        "A standard deviation: each number counts by its distance from the mean, over {less}. That the mean "
        "moves as well makes no difference, because the distances from it sum to 0.",
        "(x - mu)/(less*y)",
    ),
    "norm": Local(
        "The root of a sum of squares: the derivative of each number is its share, itself over the norm.",
        "x/y",
    ),
    "logsumexp": Local(
        "The logarithm of a sum of exponentials: its derivative is the softmax.", "exp(x - y)"
    ),
    "prod": Local(
        "A product: the local gradient with respect to one factor is the product of all others.", "y/x"
    ),
}

ROW = "every output of a row depends on every input of it, through the sum that normalises."
NORM = (
    "A norm{{over}}: every number of the result depends on every number that it is normalised with: through "
    "itself, {through}. Take them one by one; each of the sums that come back is a mean of what arrives, or "
    "of what arrives times the normalised."
)
# how a number `other` of a result moves with a number `own` of what it was normalised with; hit: in its place
COUPLED: dict[str, Local] = {
    "softmax": Local(
        f"A softmax: {ROW} Take out how the output moves with its own input, and how with the others.",
        "other*(hit - own)",
    ),
    "log_softmax": Local(f"log-softmax: {ROW}", "hit - own"),  # of the softmax
    "norm": Local(
        NORM.format(through="through the mean, and through the variance"), "hit - (1 + own*other)/count"
    ),
    "rms_norm": Local(NORM.format(through="and through the mean square"), "hit - own*other/count"),
}
AWAY, INV = "x - x.mean(over, keepdim=True)", "((away**2).mean(over, keepdim=True) + eps)**-0.5"

# of the logits l of a row, hot where its label is; p: the softmax
LABELLED: dict[str, Local] = {
    "cross_entropy": Local(
        "The cross entropy is {over}−log p at the label, where p is the softmax of the row. Write one row's "
        "loss out, with l its logits: −l[label] + log Σ_k exp(l[k]). Each of the two parts has a short "
        "derivative: that of the first is at the label ({target}) alone, and that of the second is a "
        "function that has been named here already.",
        "p - hot",
    ),
    "smoothed": Local(" Of the label's part all classes share {share}.", "p - (hot*most + share/classes)"),
    "nll_loss": Local("{Over}minus what stands at the row's label: the other numbers don't count.", "-hot"),
}

LOSSES: dict[str, Local] = {
    "mse_loss": Local(
        "A squared distance, number by number: twice the distance.", ("2*(x - t)", "2*(t - x)")
    ),
    "l1_loss": Local("An absolute distance: its sign.", ("sign(x - t)", "sign(t - x)")),
    "smooth_l1_loss": Local(
        "A smooth distance: quadratic within beta, a line beyond. So the distance over beta, cut off at ±1.",
        ("clip((x - t)/beta)", "clip((t - x)/beta)"),
    ),
    "huber_loss": Local(
        "A smooth distance: quadratic within delta, a line beyond. So the distance, cut off at ±delta.",
        ("delta*clip((x - t)/delta)", "delta*clip((t - x)/delta)"),
    ),
    "kl_div": Local("t · (ln t − x), number by number, with x a logarithm already.", ("-t", "ln(t) + 1 - x")),
    "binary_cross_entropy": Local(
        "The binary cross entropy −t·ln x − (1 − t)·ln(1 − x), number by number.",
        ("(x - t)/(x*(1 - x))", "ln((1 - x)/x)"),
    ),
    "binary_cross_entropy_with_logits": Local(
        "A sigmoid and a binary cross entropy in one: what is left is the probability less the target.",
        ("sigma(x) - t", "-x"),
    ),
}

SIGNS: dict[type, str] = {
    ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.Div: "div", ast.Pow: "pow", ast.USub: "neg",
    ast.UAdd: "clone",
}  # fmt: skip


def local(site: Site, row: Local) -> Step:
    """The rule of what works number by number, with broadcasting."""
    node = site.node
    if isinstance(node, ast.BinOp):
        given = dict(zip(PAIR, (node.left, node.right), strict=True))
    elif isinstance(node, ast.UnaryOp):
        given = {"x": node.operand}
    else:
        method = operation(node) == "where" and not leading(site)  # a.where(test, b)
        given = parts(site, *(("a", "test", "b") if method else row.names), *row.constants)
    if not {*row.names} <= {*given} <= {*row.names, *row.constants}:  # gelu(x, approximate="tanh")
        raise NoRule(ast.unparse(node))
    place = next(k for k, n in enumerate(row.names) if given[n] is site.child)
    other = given[row.names[place - 1]]
    say, to = row.at(place, constant=not site.scope.shape(other))
    if not to:
        raise NoRule(f"what {site.x} is in {ast.unparse(node)}")
    said = {"text": ast.unparse(node), "other": ast.unparse(other), "y": site.output or ast.unparse(node)}
    fixed = {k: v for k, v in given.items() if k not in row.names}
    known = {k: number(v) for k, v in row.constants.items()}
    known |= {k: number(site.scope.value(v)) for k, v in fixed.items()}
    if row is LOCAL["pow"]:
        with contextlib.suppress(ValueError):  # an exponent that is no number stays what it is
            known["b"] = number(ast.literal_eval(given["b"]))
    return spread(site, say.format(x=site.x, **said), to, **{**given, **known})


def loss(site: Site) -> Step:
    """A loss of one number against another, and then their mean."""
    row, given = LOSSES[operation(site.node)], parts(site, "x", "t")
    if set(given) - {"x", "t", "reduction", "beta", "delta"}:
        raise NoRule("this use of a loss")
    how = site.scope.value(given["reduction"]) if "reduction" in given else "mean"
    more = {k: given.get(k, number(1)) for k in ("beta", "delta")}
    say, to = row.at(0 if site.child is given["x"] else 1)
    each = code(to, **{k: site.at(given[k], site.index) for k in ("x", "t")}, **more)
    if how == "mean":
        each = code("each * (1 / count)", each=each, count=site.count(range(len(site.before))))
        say += " Then comes the mean: one over how many there are."
    return followed(site.index if how == "none" else (), say, each)
