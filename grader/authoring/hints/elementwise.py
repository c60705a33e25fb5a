"""Functions of one number: a table of derivatives, each with what to say of it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from grader.authoring.hints.notation import code, number
from grader.authoring.hints.site import Site, Step, arguments, leading


@dataclass(frozen=True)
class Elementwise:
    """A function of one number: what to say, its derivative in x and y, and a condition if it has one."""

    say: str
    factor: str = ""  # in x and the result y; none where it is 1
    sign: int = 1
    where: str = ""
    nice: tuple[float, ...] = ()  # inputs that are good to calculate with
    constants: Mapping[str, float] = field(default_factory=dict)  # arguments by position, with defaults


LN = tuple(math.log(k) for k in (1, 2, 3, 4))
POSITIVE = (1.0, 2.0, 4.0, 0.5)

ELEMENTWISE: dict[str, Elementwise] = {
    "exp": Elementwise(
        "The exponential works element by element, and it is its own derivative: the number that you "
        "need has been computed in the forward pass already.",
        "y",
        nice=LN,
    ),
    "log": Elementwise(
        "The logarithm works element by element; take its derivative from calculus, at {x}.",
        "1/x",
        nice=POSITIVE,
    ),
    "tanh": Elementwise(
        "tanh works element by element. Its derivative is simplest when written with its output, {y}, "
        "and not with its input.",
        "1 - y**2",
        nice=tuple(math.atanh(v) for v in (0, 0.5, -0.5, 0.8)),
    ),
    "sigmoid": Elementwise(
        "The sigmoid works element by element; its derivative is simplest when written with its output, {y}.",
        "y*(1 - y)",
        nice=(0.0, math.log(3), -math.log(3), math.log(4)),
    ),
    "relu": Elementwise(
        "A ReLU is a gate: where its input is positive the gradient passes unchanged, elsewhere nothing "
        "does.",
        where="x > 0",
        nice=(-2.0, -1.0, 1.0, 2.0, 3.0),  # not 0, where it has a corner
    ),
    "leaky_relu": Elementwise(
        "A leaky ReLU is two straight lines: where its input is positive the gradient passes unchanged, "
        "elsewhere it is made smaller by the slope of the negative side.",
        "hit(x > 0) + negative_slope*(1 - hit(x > 0))",
        nice=(-2.0, -1.0, 1.0, 3.0),
        constants={"negative_slope": 0.01},
    ),
    "elu": Elementwise(
        "An ELU is the identity where its input is positive, and an exponential less a constant elsewhere: "
        "there the derivative is the exponential alone, which the output, {y}, gives back.",
        "hit(x > 0) + (1 - hit(x > 0))*(y + alpha)",
        nice=(-math.log(2), -math.log(4), 1.0, 2.0),
        constants={"alpha": 1.0},
    ),
    "sqrt": Elementwise(
        "A square root is the power ½; its derivative is simplest when written with its output.",
        "1/(2*y)",
        nice=(1, 4, 16, 0.25),
    ),
    "rsqrt": Elementwise(
        "A reciprocal square root is the power −½: the power rule.", "x**-1.5/2", -1, nice=(1, 4, 16, 0.25)
    ),
    "square": Elementwise("A square, element by element: the power rule.", "2*x"),
    "reciprocal": Elementwise("1/x is the power −1: the power rule.", "x**-2", -1, nice=POSITIVE),
    "neg": Elementwise("The minus stays a minus.", sign=-1),
    "sin": Elementwise("The sine works element by element.", "cos(x)"),
    "cos": Elementwise("The cosine works element by element.", "sin(x)", -1),
    "abs": Elementwise("The absolute value passes the gradient with the sign of its input.", "sign(x)"),
    "gelu": Elementwise(
        "GELU is x · Φ(x), with Φ the normal distribution function: the product rule, and Φ' is the normal "
        "density.",
        "Phi(x) + x*phi(x)",
    ),
    "silu": Elementwise(
        "SiLU is x · σ(x), with σ the sigmoid: the product rule, and σ' is σ · (1 − σ).",
        "sigma(x)*(1 + x*(1 - sigma(x)))",
    ),
    "softplus": Elementwise(
        "Softplus is ln(1 + eˣ); its derivative is the sigmoid of its input.", "sigma(x)"
    ),
    "logsigmoid": Elementwise(
        "The logarithm of a sigmoid: its derivative is what the sigmoid lacks to 1.", "1 - sigma(x)"
    ),
    "hardswish": Elementwise(
        "Hardswish is x · (x + 3)/6 between −3 and 3: the product rule. Above it is x, below it 0.",
        "hit(x > 3) + hit(3 >= x)*hit(x > -3)*(2*x + 3)/6",
        nice=(-4.0, -1.0, 1.0, 2.0, 4.0),
    ),
    "hardsigmoid": Elementwise(
        "A hard sigmoid is a line between −3 and 3 and level elsewhere.",
        "hit(3 > x)*hit(x > -3)/6",
        nice=(-4.0, -1.0, 1.0, 2.0, 4.0),
    ),
    "relu6": Elementwise(
        "A ReLU that ends at 6: between 0 and 6 the gradient passes, elsewhere nothing does.",
        "hit(x > 0)*hit(6 > x)",
        nice=(-2.0, 1.0, 3.0, 7.0),
    ),
    "hardtanh": Elementwise(
        "Between its two ends it is the identity, and level beyond: there nothing comes back.",
        "hit(x > min_val)*hit(max_val > x)",
        nice=(-2.0, -0.5, 0.5, 2.0),
        constants={"min_val": -1.0, "max_val": 1.0},
    ),
    "selu": Elementwise(
        "A SELU is two pieces, each times a constant: a line, and below 0 an exponential.",
        "1.0507009873554805*(hit(x > 0) + (1 - hit(x > 0))*1.6732632423543772*exp(x))",
        nice=(-math.log(2), -math.log(4), 1.0, 2.0),
    ),
    "mish": Elementwise(
        "Mish is x · tanh(softplus(x)): the product rule, with the derivatives of tanh and of softplus.",
        "tanh(ln(1 + exp(x))) + x*(1 - tanh(ln(1 + exp(x)))**2)*sigma(x)",
    ),
    "atan": Elementwise("The arc tangent works element by element.", "1/(1 + x**2)"),
    "log1p": Elementwise(
        "ln(1 + x) works element by element: the derivative of the logarithm.",
        "1/(1 + x)",
        nice=(0.0, 1.0, 3.0, -0.5),
    ),  # fmt: skip
    "expm1": Elementwise("eˣ − 1 has the derivative of the exponential.", "exp(x)", nice=LN),
    "log2": Elementwise("log₂ x is ln x / ln 2.", "1/(x*ln(2))", nice=POSITIVE),
    "erf": Elementwise("The error function's derivative is a bell curve.", "2*exp(-x**2)/1.7724538509055159"),
    "clone": Elementwise(""),
    "contiguous": Elementwise(""),
    "float": Elementwise(""),
}


def elementwise(site: Site, rule: Elementwise) -> Step:
    x = site.at(site.child, site.index)
    y = site.result()
    say = rule.say.format(x=site.x, y=site.output or "the result")
    given = arguments(site.node, tuple(rule.constants), leading(site)) if rule.constants else {}
    known = {k: number(v) for k, v in {**rule.constants, **given}.items()}
    factors = (code(rule.factor, x=x, y=y, **known),) if rule.factor else ()
    where = (code(rule.where, x=x),) if rule.where else ()
    return Step(site.index, say, factors, rule.sign, where=where)
