"""Before the first gradient: how to check one, and a bug that only a gradient shows.

A gradient by hand is right if a small step says the same. The step is taken in every number of a tensor, one at a
time and in both directions, and the two losses are compared. It is slow, it is never exact, and it needs a step that
is neither too large nor too small; but it knows nothing of your formula, and so it can judge it.

Then a bug that the lecture found in real code: somebody wanted to keep gradients small, and clipped the loss. The loss
looks as it should, and training goes on. Only the gradient of an outlier tells.
"""

import torch

from grader.lecture import calls

FIXTURES = {
    "lecture": dict(seed=1, n=4, m=3),
    "probe-1": dict(seed=2, n=4, m=3),
    "probe-2": dict(seed=3, n=5, m=2),
    "probe-3": dict(seed=4, n=3, m=6),
}
OUTPUTS = {
    "numeric_gradient": "approximate",
    "best_step": "exact",
    "kinks": "exact",
    "relative_error": "approximate",
    "wrong_places": "exact",
    "outlier_gradient": "approximate",
    "mended": "approximate",
    "mended_gradient": "approximate",
}
PROVIDED = ("first_version",)
HINTS = {
    "numeric_gradient": {
        "example": """
    >>> x = torch.tensor([1.0, 2.0], dtype=torch.float64)
    >>> numeric_gradient(lambda t: (t**2).sum(), x, 1e-5)
""",
        "concept": "Move one number of x by h to either side, leave all others where they are, and divide the change of "
        "the loss by the whole way, 2h. The error of this central difference falls with h squared; that of a step to "
        "one side only with h.",
        "formula": "grad[i] = (f(x with x[i] + h) − f(x with x[i] − h)) / (2h), on a copy of x.",
    },
    "best_step": {
        "example": """
    >>> best_step(torch.sin, 0.5403023, torch.tensor(1.0, dtype=torch.float64), [1.0, 1e-4, 1e-14])
""",
        "concept": "A large step sees the curve and not the slope. A small one subtracts two numbers that are almost the "
        "same, and what is left is their rounding. float64 has 16 digits, float32 has 7: its best step is much larger.",
        "formula": "For each h the distance of (f(x + h) − f(x − h)) / (2h) from the slope; the h whose distance is least.",
    },
    "kinks": {
        "example": """
    >>> x = torch.tensor([-1.0, 0.0, 2.0], dtype=torch.float64)
    >>> kinks(lambda t: t.relu().sum(), x, 1e-4, 0.5)
""",
        "concept": "At a kink, as the ReLU has it at 0, there is no one slope: a step to the left and a step to the right "
        "say different things, and the central difference is between them. No gradient by hand can agree with that.",
        "formula": "|(f(x + h e) − f(x)) / h − (f(x) − f(x − h e)) / h| > limit, with e 1 at the one place and 0 "
        "elsewhere.",
    },
    "relative_error": {
        "example": """
    >>> relative_error(torch.tensor([1.0, 0.0, 10.0]), torch.tensor([1.0, 0.0, 8.0]))
""",
        "concept": "An error of 0.01 is small beside 100 and large beside 0.01: what counts is the error beside the "
        "numbers compared. Where both are 0 there is no error, and 0 / 0 is to be kept out.",
        "formula": "max over all places of |a − b| / max(|a|, |b|), counting 0 where both are 0.",
    },
    "wrong_places": {
        "shapes": "f is a function, grad and x are tensors of one shape with two axes, h and tolerance floats. wrong_places "
        "returns a list of pairs of integers.",
        "example": """
    >>> x = torch.tensor([[1.0, 2.0]], dtype=torch.float64)
    >>> wrong_places(lambda t: (t**2).sum(), torch.tensor([[2.0, 5.0]]), x, 1e-5, 1e-3)
""",
        "concept": "Hold the gradient by hand against the one of small steps, place by place. That tells more than one "
        "number does: a whole wrong row or column shows what was forgotten.",
        "formula": "The indices (i, j) at which |grad − numeric gradient| > tolerance, row by row.",
    },
    "outlier_gradient": {
        "example": """
    >>> outlier_gradient(torch.tensor([0.5, -3.0]), 1.0)
""",
        "concept": "clamp is flat outside its limits: there its slope is 0, and nothing passes. The error that is "
        "largest of all gets no gradient, and is never corrected.",
        "formula": "2 · delta / n where |delta| < limit, else 0.",
    },
    "mended": {
        "example": """
    >>> mended(torch.tensor([0.5, -3.0]), 1.0)
""",
        "concept": "What was meant is a gradient that stops growing: a loss that is a parabola near 0 and goes on as a "
        "straight line. That is the Huber loss. The line has to meet the parabola in value and in slope.",
        "formula": "Per number: delta² where |delta| ≤ limit, else 2 · limit · |delta| − limit²; and the mean.",
    },
    "mended_gradient": {
        "example": """
    >>> mended_gradient(torch.tensor([0.5, -3.0]), 1.0)
""",
        "concept": "The slope of the parabola where the loss is one, and the constant slope of the line elsewhere: a "
        "gradient that is clipped, and not the loss.",
        "formula": "2 · clamp(delta, −limit, limit) / n.",
    },
}


def inputs(g, n, m):
    """Tensors in double precision, functions' weights, steps, errors with an outlier."""

    def draw(*shape):
        return torch.randn(shape, generator=g).double()

    kinked = draw(n, m)
    kinked = kinked.sign() * (kinked.abs() + 0.3)
    places = torch.randperm(n * m, generator=g)[: m - 1]
    kinked.view(-1)[places] = 0.0
    errors = draw(n + m) * 0.4
    errors[n] = 4.0 + n
    errors[1] = -3.0 - m
    limit = 1.0 + m / 8
    errors[2] = -(limit + limit**0.5) / 2  # its square is beyond the limit, and it is not
    wrong = torch.zeros(n, m, dtype=torch.float64)
    wrong[n - 1] = 0.1
    wrong[0, m - 1] = -0.2
    return dict(
        x=draw(n, m),
        weights=draw(m, n),
        kinked=kinked,
        wrong=wrong,
        points=[round(0.4 + 0.2 * k + float(torch.rand(1, generator=g)) / 10, 3) for k in range(n)],
        a=torch.cat([draw(n), torch.zeros(2).double()]),
        b=torch.cat([draw(n), torch.zeros(2).double()]),
        errors=errors,
        limit=limit,
    )


def numeric_gradient(f, x, h):
    """The gradient of f at x by central differences with the step h: a tensor like x.

    x is a tensor of any shape, f takes such a tensor and gives a single number, as a tensor of no axes. x itself
    is to be as it was afterwards. With f = sum of the squares it is close to 2x.
    """
    grad = torch.zeros_like(x)
    for i in range(x.numel()):
        up, down = x.clone(), x.clone()
        up.view(-1)[i] += h
        down.view(-1)[i] -= h
        grad.view(-1)[i] = (f(up) - f(down)) / (2 * h)
    return grad


def best_step(f, slope, x, steps):
    """Which of `steps` measures the slope of f at x best, by a central difference: one of them.

    x is a tensor of no axes, float32 or float64, and f keeps its precision; `slope` is the true one, a number.
    Work in the precision of x. In float64 the best step for the sine is about 1e-5, in float32 about 1e-2.
    """
    errors = [abs(float((f(x + h) - f(x - h)) / (2 * h)) - slope) for h in steps]
    return steps[errors.index(min(errors))]


def kinks(f, x, h, limit):
    """Where f has a kink: a tensor of torch.bool like x.

    At a kink the slope measured to the right, from x to x + h, and the one measured to the left, from x - h to x,
    differ by more than `limit`. As above, one number of x is moved at a time.
    """
    found = torch.zeros_like(x, dtype=torch.bool)
    for i in range(x.numel()):
        up, down = x.clone(), x.clone()
        up.view(-1)[i] += h
        down.view(-1)[i] -= h
        right, left = (f(up) - f(x)) / h, (f(x) - f(down)) / h
        found.view(-1)[i] = abs(right - left) > limit
    return found


def relative_error(a, b):
    """The largest relative error of two tensors of one shape: a float.

    At each place it is the distance of the two numbers over the larger of their sizes, and 0 where both are 0.
    """
    size = torch.maximum(a.abs(), b.abs())
    error = (a - b).abs() / torch.where(size == 0, 1, size)
    return error.max().item()


def wrong_places(f, grad, x, h, tolerance):
    """Where a gradient is wrong: a list of pairs (row, column), row by row; empty if it is right.

    x has two axes, and grad, of its shape, is what somebody derived by hand for the gradient of f at x. A place is
    wrong where it is farther than `tolerance` from the numeric gradient with the step h.
    """
    far = (numeric_gradient(f, x, h) - grad).abs() > tolerance
    return [(int(i), int(j)) for i, j in far.nonzero()]


def first_version(delta, limit):
    """The loss that was found: errors clipped, squared, and the mean."""
    return (delta.clamp(-limit, limit) ** 2).mean()


def outlier_gradient(delta, limit):
    """The gradient of first_version(delta, limit) with respect to delta, by hand: a tensor like delta.

    delta has one axis, the errors of n examples, and no error is exactly at the limit. Look at what the largest
    of them gets.
    """
    return torch.where(delta.abs() < limit, 2 * delta / delta.numel(), 0)


def mended(delta, limit):
    """The loss that was meant: the mean of the squares, but with a gradient that is limited. A tensor of no axes.

    Of an error up to the limit it is the square. From there on it grows along a straight line, which continues the
    parabola with the value and the slope that it has at the limit.
    """
    size = delta.abs()
    return torch.where(size <= limit, size**2, 2 * limit * size - limit**2).mean()


def mended_gradient(delta, limit):
    """The gradient of mended(delta, limit) with respect to delta, by hand: a tensor like delta."""
    return 2 * delta.clamp(-limit, limit) / delta.numel()


def use_numeric_gradient(numeric_gradient, x, weights):
    """The numeric gradient of several functions, in float64; and x afterwards."""
    functions = {
        "the sum of x**2": lambda t: (t**2).sum(),
        "the mean of tanh(x @ W)": lambda t: torch.tanh(t @ weights).mean(),
        "the product of x with itself, by its transpose": lambda t: (t @ t.T).sum() * t[0, 0],
    }
    found = {}
    for said, f in functions.items():
        given = x.clone()
        found[f"numeric_gradient of {said}, h 1e-5"] = numeric_gradient(f, given, 1e-5)
        found[f"x afterwards, of {said}"] = given - x
    line = numeric_gradient(lambda t: (t**3).sum(), x[0].clone(), 0.5)
    return {**found, "numeric_gradient of the sum of x**3, h 0.5, one axis": line}


def use_best_step(best_step, points):
    """The best step for the sine and the exponential, in float32 and in float64, of several lists of steps."""
    coarse, fine = [1.0, 1e-2, 1e-6], [1e-1, 1e-5, 1e-10, 1e-13]
    found = {}
    for point in points:
        for said, f in (("sin", torch.sin), ("exp", torch.exp)):
            for dtype, steps in ((torch.float32, coarse), (torch.float64, fine), (torch.float64, fine[::-2])):
                x = torch.tensor(point, dtype=dtype)
                slope = float(torch.cos(x.double()) if said == "sin" else torch.exp(x.double()))
                case = f"best_step({said}, slope, {point} in {str(dtype)[6:]}, {steps})"
                found[case] = best_step(f, slope, x, list(steps))
    falls = torch.tensor(points[0] / 10, dtype=torch.float64)
    for steps in ([1e-3, 2.5, 1.0], [3.0, 1e-2, 1.7], [9.0, 1.0]):
        found[f"best_step(-sin, slope, {falls:.6g} in float64, {steps})"] = best_step(
            lambda t: -torch.sin(t), -float(torch.cos(falls)), falls.clone(), steps
        )
    parabola = torch.tensor(points[0], dtype=torch.float64)  # of which every step gives the slope, but for rounding
    for steps in ([1.0, 1e-5, 1e-9], [1e-7, 1e-3, 0.5]):
        case = f"best_step(x**2, slope, {points[0]} in float64, {steps})"
        found[case] = best_step(lambda t: t * t, 2 * points[0], parabola.clone(), list(steps))
    return found


def use_kinks(kinks, kinked, limit):
    """Kinks upwards and downwards, of many slopes, and of a function that has none; with several limits."""
    slopes = torch.linspace(0.2, 1.0, kinked.numel(), dtype=torch.float64).view(kinked.shape)
    functions = {
        "relu": lambda t: t.relu().sum(),
        "relu of many slopes": lambda t: (slopes * t.relu()).sum(),
        "x**2": lambda t: (t**2).sum(),
        "|x|": lambda t: t.abs().sum(),
        "min(x, 0)": lambda t: t.clamp(max=0).sum(),
    }
    return {
        f"kinks of the sum of {said}, h 1e-4, limit {most:.6g}": kinks(f, kinked.clone(), 1e-4, most)
        for said, f in functions.items()
        for most in (0.11, 0.5, limit)
    }


def use_relative_error(relative_error, a, b):
    """The relative error of some tensors, in which both may be 0."""
    cases = {"a, b": (a, b), "a, 1.001 a": (a, 1.001 * a), "-b, a": (-b, a), "0, 0": (a * 0, b * 0), "a, 0": (a, 0 * a)}
    return {f"relative_error({said})": relative_error(p.clone(), q.clone()) for said, (p, q) in cases.items()}


def use_wrong_places(wrong_places, x, wrong, weights):
    """Where some gradients by hand are wrong, of which one is right."""
    loss = lambda t: torch.tanh(t @ weights).sum()  # noqa: E731
    right = (1 - torch.tanh(x @ weights) ** 2) @ weights.T
    cases = {"right": (right, 1e-4), "wrong": (right + wrong, 1e-4), "wrong, with a large tolerance": (right - wrong, 0.15)}
    cases["of another sign"] = (-right, 1e-4)
    found = {
        f"wrong_places of a gradient that is {said}": wrong_places(loss, grad, x.clone(), 1e-5, most)
        for said, (grad, most) in cases.items()
    }
    squares = lambda t: (t * t).sum()  # noqa: E731
    return found | {"wrong_places of the right one, a step of 0.125": wrong_places(squares, 2 * x, x.clone(), 0.125, 0.01)}


def use_outlier_gradient(outlier_gradient, errors, limit):
    """The gradient of the loss that was found, with outliers on both sides, for two limits."""
    return calls("outlier_gradient", outlier_gradient, (errors, limit), (errors[1:], limit / 2))


def use_mended(mended, errors, limit):
    """The loss that was meant, with outliers on both sides, for several limits."""
    return calls("mended", mended, (errors, limit), (errors[1:], limit / 2), (errors[2:4] * 0, limit))


def use_mended_gradient(mended_gradient, errors, limit):
    """Its gradient, with outliers on both sides, for two limits."""
    return calls("mended_gradient", mended_gradient, (errors, limit), (errors[1:], limit / 2))
