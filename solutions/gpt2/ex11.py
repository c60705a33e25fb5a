"""Around the training of GPT-2: weights that come in, numbers that are rounded, an exam.

The lecture's long run rests on small pieces, each of which can be wrong in silence: weights of a checkpoint that is
stored transposed, a vocabulary that is rounded up, the number of steps that so many tokens make, shards of data, the
bits that TF32 and bf16 keep and what autocast leaves in float32, a sampler that takes the likeliest 50, HellaSwag, an
exam of four endings each, the validation loss, and a checkpoint from which a run goes on as if nothing had been. They
are all here.
"""

import math

import torch
import torch.nn.functional as F

from grader.lecture import calls

FIXTURES = {
    "lecture": dict(seed=1337, B=3, T=7, V=9, C=4, L=2, k=4),
    "probe-1": dict(seed=1, B=3, T=7, V=9, C=4, L=2, k=4),
    "probe-2": dict(seed=2, B=2, T=9, V=7, C=6, L=3, k=3),
    "probe-3": dict(seed=3, B=4, T=8, V=12, C=3, L=1, k=5),
}
OUTPUTS = {
    "loaded": "exact",
    "rounded_up": "exact",
    "steps": "exact",
    "expected_loss": "approximate",
    "shards": "exact",
    "tf32": "exact",
    "bf16": "exact",
    "autocast": "exact",
    "top_k": "approximate",
    "sampled": "exact",
    "hellaswag_row": "exact",
    "hellaswag_loss": "approximate",
    "hellaswag_answer": "approximate",
    "residual_growth": "approximate",
    "average_step": "approximate",
    "validation": "approximate",
    "resumed": "approximate",
}
HINTS = {
    "loaded": {
        "example": """
    >>> loaded({"h.0.mlp.c_fc.weight": torch.tensor([[1, 2], [3, 4]]), "h.0.attn.bias": torch.ones(1)})
""",
        "concept": "OpenAI's code has a module that it calls Conv1D, whose weight is (in, out). nn.Linear's is (out, in): four "
        "weights of each block are transposed. Of a square weight no error tells you if you forget it.",
        "formula": "w.t() where the name ends in one of the four endings, w otherwise; masks are left out.",
    },
    "rounded_up": {
        "example": """
    >>> rounded_up(50257, 128)
    >>> rounded_up(256, 128)
""",
        "concept": "Kernels work on blocks of a power of two. A vocabulary that fills the last block is faster, although it is "
        "larger.",
        "formula": "multiple · ⌈n / multiple⌉; in integers ⌈a / b⌉ is (a + b − 1) // b.",
    },
    "steps": {
        "example": """
    >>> steps(1000, 64, 200)
""",
        "concept": "A number of tokens, divided by those of a step, is a number of steps: the schedule is meant in tokens, and "
        "written in steps.",
        "formula": "tokens // per_step for the run, warmup_tokens // per_step for the warm-up.",
    },
    "expected_loss": {
        "example": """
    >>> expected_loss(50257)
""",
        "concept": "At its start a network knows nothing, and should consider all tokens equally likely.",
        "formula": "−ln(1 / V).",
    },
    "shards": {
        "example": """
    >>> shards([[1, 2], [3]], 0, 3)
""",
        "concept": "Documents follow each other without regard to where a file ends: the last one of a shard goes on in the "
        "next. Each begins with the token that says so.",
        "formula": "[eot, *document] for each, all joined, cut every `size` tokens; the last may be shorter.",
    },
    "tf32": {
        "example": """
    >>> tf32(torch.tensor([1.0, 1.001, 3.14159]))
""",
        "concept": "TF32 is float32 with a shorter mantissa, inside the GPU's products alone: 8 bits of exponent, 10 of mantissa. "
        "The last 13 of a float32's 23 bits are not looked at.",
        "formula": "Seen as an int32, x & ~0x1FFF, of which the last 13 bits are 0; seen as a float32 again.",
    },
    "bf16": {
        "example": """
    >>> bf16(torch.tensor([1.0, 1.001, 3.14159]))
""",
        "concept": "bfloat16 keeps float32's sign and its 8 bits of exponent, hence its range. Of 23 bits of mantissa it keeps 7: "
        "near 1 the next number is 1 + 2⁻⁷.",
        "formula": "To torch.bfloat16 and back to float32. It rounds to the nearest, ties to even.",
    },
    "autocast": {
        "example": """
    >>> autocast([("a", "linear", ["x"]), ("b", "add", ["x", "a"]), ("c", "gelu", ["a"])], {"x": "float32"})
""",
        "concept": "Products bear few bits well, and are what takes the time. What adds up many numbers, or takes an exponential, "
        "stays in float32. All else goes by what it is made from: so the residual stream stays in float32, to which the "
        "embeddings give it.",
        "formula": "By the operation where it is in one of the two lists; else float32 if an operand is float32, and bfloat16 if none is.",
    },
    "top_k": {
        "example": """
    >>> top_k(torch.tensor([[0.0, 2.0, 1.0]]), 2)
""",
        "concept": "Rare tokens are many, and together they are likely enough to be drawn now and then, which derails a text. "
        "All but the k likeliest get nothing, and the rest is scaled up.",
        "formula": "With p the softmax: p[i] / (the sum of the k largest p) where p[i] is one of these, else 0; row by row.",
    },
    "sampled": {
        "example": """
    >>> sampled(torch.tensor([[0.0, 2.0, 1.0]]), 2, [0.9])
""",
        "concept": "Draw from the k that are left, in the order of their probabilities, and then look up which token it is: the "
        "place among the k is not the token.",
        "formula": "p, tokens = topk(probs, k); the first place at which cumsum(p) > u · sum(p); tokens at that place.",
    },
    "hellaswag_row": {
        "example": """
    >>> hellaswag_row([5], [[1], [2, 3]])
""",
        "concept": "The four endings have different lengths, so that rows are padded; and only the ending's tokens are to count.",
        "formula": "context + ending + zeros; mask 0 over the context and the zeros, 1 over the ending.",
    },
    "hellaswag_loss": {
        "example": """
    >>> hellaswag_loss(torch.zeros(1, 3, 4), torch.tensor([[1, 2, 3]]), torch.tensor([[0, 0, 1]]))
""",
        "concept": "A logit at one place is about the token at the next: so logits lose their last place, tokens and mask their "
        "first. Of different lengths only the mean is comparable.",
        "formula": "Per row: Σ_t cross entropy(logits[t], tokens[t + 1]) · mask[t + 1] / Σ_t mask[t + 1].",
    },
    "hellaswag_answer": {
        "example": """
    >>> hellaswag_answer([[2.0, 1.0, 3.0, 4.0], [1.0, 2.0, 3.0, 4.0]], [1, 2])
""",
        "concept": "The ending that the model finds the most natural has the lowest loss.",
        "formula": "argmin of the losses; the share of examples where it is the label.",
    },
    "residual_growth": {
        "example": """
    >>> residual_growth(torch.tensor([0.0, 2.0]), [torch.tensor([0.0, 2.0])], 0.5)
""",
        "concept": "Each block adds something to the stream. Independent things add their variances, so that after n of them the "
        "standard deviation is √n, in a stream that began with zeros. Scaled by 1/√n each, it has come to 1.",
        "formula": "x = x + scale · noise, then x.std(), for each.",
    },
    "average_step": {
        "example": """
    >>> average_step(torch.tensor([1.0]), [torch.tensor([2.0]), torch.tensor([4.0])], [3.0, 4.0], 0.1)
""",
        "concept": "Every process has other data and the same weights. If all of them step along the mean of their gradients, the "
        "weights stay the same everywhere. The loss that is printed is averaged too.",
        "formula": "w − rate · mean of the gradients; the mean of the losses.",
    },
    "validation": {
        "example": """
    >>> class Loader:
    ...     def reset(self):
    ...         self.losses = [2.0, 1.0, 9.0]
    ...     def next_batch(self):
    ...         return None, self.losses.pop(0)
    >>> class Model(torch.nn.Module):
    ...     def forward(self, x, y):
    ...         return x, torch.tensor(y)
    >>> validation(Model(), Loader(), 2)
""",
        "shapes": "model and loader are objects as told, steps is an integer. validation returns a float.",
        "concept": "Always the same batches, or two losses of one run could not be compared: so the loader begins "
        "again. And the model is asked as it would be used.",
        "formula": "loader.reset(); model.eval(); Σ of the losses of `steps` batches, each over `steps`; model.train().",
    },
    "resumed": {
        "example": """
    >>> run = Training(torch.ones(2), 0.1, 7)
    >>> run.step(torch.tensor([1.0, 2.0]))
    >>> sorted(run.saved())
    >>> other = Training(torch.zeros(2), 0.5, 1)
    >>> other.restored(run.saved())
    >>> other.weight
""",
        "shapes": "saved returns a dict, made as you like; restored takes such a dict and returns nothing.",
        "concept": "Not the weight alone: what the optimizer keeps, how many steps there were, the rate, and how far the random "
        "numbers have come. And a tensor that is changed in place changes in every dict that holds it.",
        "formula": "A clone of each tensor, the two numbers, generator.get_state(); and the same way back, with clones again and "
        "generator.set_state().",
    },
}

TRANSPOSED = ["attn.c_attn.weight", "attn.c_proj.weight", "mlp.c_fc.weight", "mlp.c_proj.weight"]


def inputs(g, B, T, V, C, L, k):
    """A checkpoint, documents, numbers of many sizes, logits, an exam, noise, gradients of processes."""

    def draw(*shape):
        return torch.randn(shape, generator=g)

    checkpoint = {"wte.weight": draw(V, C), "ln_f.weight": draw(C)}
    for layer in range(L):
        for name in TRANSPOSED:
            checkpoint[f"h.{layer}.{name}"] = draw(C, C)
        checkpoint[f"h.{layer}.attn.c_attn.bias"] = draw(3 * C)
        checkpoint[f"h.{layer}.attn.bias"] = torch.tril(torch.ones(T, T))
        checkpoint[f"h.{layer}.attn.masked_bias"] = torch.tensor(-1e4)
        checkpoint[f"h.{layer}.ln_1.weight"] = draw(C)
    lengths = torch.randint(1, T - 2, (4,), generator=g).tolist()
    tokens = torch.randint(1, V, (4, T), generator=g)
    mask = torch.zeros(4, T, dtype=torch.int64)
    for row, n in enumerate(lengths):
        mask[row, 2 : 2 + n] = 1
        tokens[row, 2 + n :] = 0
    return dict(
        checkpoint=checkpoint,
        counts=[50257, V, 128 * k, 1 + 64 * B],
        runs=[(10**10, 2**19, 375_000_000), (10_000 * T + k, 100 * B, 1_000 * C)],
        documents=[torch.randint(1, 99, (n + 1,), generator=g).tolist() for n in lengths],
        size=T - 1,
        reals=torch.cat([draw(B * T), 1000 * draw(B), torch.tensor([1 + 2**-7, 1 + 2**-8, 1 + 3 * 2**-8, 1e-40, 3e38])]),
        logits=draw(B, V) * 2,
        uniforms=torch.rand(B, generator=g).tolist(),
        context=tokens[0, :2].tolist(),
        endings=[torch.randint(1, V, (n,), generator=g).tolist() for n in lengths],
        exam=draw(4, T, V) * 2,
        tokens=tokens,
        mask=mask,
        losses=[draw(4).abs().tolist() for _ in range(B + 2)],
        labels=torch.randint(4, (B + 2,), generator=g).tolist(),
        noises=[draw(40, C) for _ in range(4 * B)],
        weight=draw(C, V),
        gradients=[draw(C, V) for _ in range(B)],
        reported=[3 + abs(x) for x in draw(B).tolist()],
        rate=0.01 * k,
        graph=operations_of(g, 4 * B + k),
        seeds=torch.randint(10_000, (3,), generator=g).tolist(),
    )


def operations_of(g, count):
    """A block as the lecture has it, and `count` operations on anything before them."""
    graph = [
        ("x", "add", ["tok", "pos"]), ("n", "layer_norm", ["x"]), ("q", "linear", ["n"]), ("k", "linear", ["n"]),
        ("v", "linear", ["n"]), ("scores", "matmul", ["q", "k"]), ("wei", "softmax", ["scores"]), ("y", "matmul", ["wei", "v"]),
        ("o", "linear", ["y"]), ("x2", "add", ["x", "o"]), ("h", "linear", ["x2"]), ("a", "gelu", ["h"]), ("o2", "linear", ["a"]),
        ("x3", "add", ["x2", "o2"]), ("logits", "linear", ["x3"]), ("loss", "cross_entropy", ["logits"]),
    ]  # fmt: skip
    kinds = ["linear", "matmul", "layer_norm", "softmax", "cross_entropy", "sum", "exp", "log", "add", "mul", "gelu", "relu", "cat"]
    for at, kind in enumerate(torch.randperm(len(kinds), generator=g).repeat(3)[:count + len(kinds)].tolist()):
        known = [name for name, _, _ in graph]
        takes = 2 if kinds[kind] in ("add", "mul", "cat", "matmul") else 1
        graph.append((f"r{at}", kinds[kind], [known[k] for k in torch.randint(len(known), (takes,), generator=g).tolist()]))
    return graph


def loaded(checkpoint):
    """The weights of a Hugging Face checkpoint as nn.Linear wants them: a dict from names to tensors.

    Weights whose names end in attn.c_attn.weight, attn.c_proj.weight, mlp.c_fc.weight or mlp.c_proj.weight are
    transposed; all others stay. What ends in .attn.bias or .attn.masked_bias is a mask, no weight, and is left out.
    """
    endings = ("attn.c_attn.weight", "attn.c_proj.weight", "mlp.c_fc.weight", "mlp.c_proj.weight")
    return {
        name: w.t() if name.endswith(endings) else w
        for name, w in checkpoint.items()
        if not name.endswith((".attn.bias", ".attn.masked_bias"))
    }


def rounded_up(n, multiple):
    """The least multiple of `multiple` that is at least n, an integer: 50257 and 128 give 50304."""
    return (n + multiple - 1) // multiple * multiple


def steps(tokens, per_step, warmup_tokens):
    """How many whole steps a run of so many tokens has, and its warm-up: a pair of integers.

    per_step is how many tokens a step reads. The lecture's 10 billion tokens, 2^19 a step, and GPT-3's warm-up over 375
    million give 19073 and 715.
    """
    return tokens // per_step, warmup_tokens // per_step


def expected_loss(V):
    """The loss of a network that considers all V tokens equally likely. For 50257 it is about 10.82."""
    return math.log(V)


def shards(documents, eot, size):
    """All documents as one stream of tokens, cut into shards: a list of lists of `size` tokens, the last maybe shorter.

    Before each document, a list of tokens, stands the token eot. A document may lie across two shards.
    """
    stream = [token for document in documents for token in [eot, *document]]
    return [stream[k : k + size] for k in range(0, len(stream), size)]


def tf32(x):
    """What the GPU's products see of float32 numbers in TF32: a float32 tensor like x, with 13 bits less.

    Of each number the 13 lowest of its 32 bits become 0; nothing is rounded: 1 + 2**-10 stays, 1 + 2**-11 is 1.
    """
    return (x.float().view(torch.int32) & ~0x1FFF).view(torch.float32)


def bf16(x):
    """What is left of float32 numbers in bfloat16, to which they are rounded: a float32 tensor like x."""
    return x.to(torch.bfloat16).float()


def autocast(graph, given):
    """The type of each result under autocast to bfloat16 on a GPU: a dict from its name to "float32" or "bfloat16".

    graph is a list of (name, operation, operands). Operands are names, of results before it or of tensors in `given`, a
    dict from name to type. Of what linear and matmul give the type is bfloat16, of softmax, layer_norm,
    cross_entropy, exp, log and sum float32, whatever they are made from. Any other operation, as add, gelu or cat, gives
    float32 if one of its operands is float32, else bfloat16.
    """
    types = dict(given)
    for name, operation, operands in graph:
        if operation in ("linear", "matmul"):
            types[name] = "bfloat16"
        elif operation in ("softmax", "layer_norm", "cross_entropy", "exp", "log", "sum"):
            types[name] = "float32"
        else:
            types[name] = "float32" if "float32" in [types[one] for one in operands] else "bfloat16"
    return {name: types[name] for name, _, _ in graph}


def top_k(logits, k):
    """The probabilities of the k likeliest tokens, scaled so that they sum to 1, and 0 for all others: (B, V).

    Of the softmax of logits (B, V). No two tokens of a row are equally likely.
    """
    p = F.softmax(logits, -1)
    least = p.topk(k, dim=-1).values[:, -1:]
    kept = torch.where(p >= least, p, 0)
    return kept / kept.sum(-1, keepdim=True)


def sampled(logits, k, uniforms):
    """A token for each row, drawn from the k likeliest: a tensor of torch.int64, (B,).

    uniforms is a list of B floats. The k are put side by side by their probability, the largest first, scaled so that
    they sum to 1. With the row's uniform number u the token is the first at which the running sum is more than u; the
    last one where none is.
    """
    p, tokens = F.softmax(logits, -1).topk(k, dim=-1)
    sums = (p / p.sum(-1, keepdim=True)).cumsum(-1)
    at = (sums <= torch.tensor(uniforms)[:, None]).sum(-1).clamp(max=k - 1)
    return tokens[torch.arange(len(at)), at]


def hellaswag_row(context, endings):
    """The rows of one example: a pair (tokens, mask) of tensors of torch.int64, a row for each ending.

    A row is the context, the ending, and zeros up to the length of the longest one. mask is 1 where an ending's token
    stands, else 0. context is a list of tokens, endings a list of such.
    """
    longest = max(len(ending) for ending in endings)
    tokens = [context + ending + [0] * (longest - len(ending)) for ending in endings]
    mask = [[0] * len(context) + [1] * len(ending) + [0] * (longest - len(ending)) for ending in endings]
    return torch.tensor(tokens), torch.tensor(mask)


def hellaswag_loss(logits, tokens, mask):
    """The mean loss of the ending's tokens of each row: a tensor (4,).

    logits are (4, T, V), tokens and mask (4, T). What the logits say at one place is about the token at the next one.
    """
    losses = F.cross_entropy(logits[:, :-1].flatten(0, 1), tokens[:, 1:].flatten(), reduction="none")
    losses = losses.view(len(tokens), -1)
    kept = mask[:, 1:]
    return (losses * kept).sum(1) / kept.sum(1)


def hellaswag_answer(losses, labels):
    """What the model answers, and how often it is right: a pair of a list of numbers and a float.

    losses has a list of four for each example, labels the number of the right ending, from 0.
    """
    answers = [four.index(min(four)) for four in losses]
    return answers, sum(a == b for a, b in zip(answers, labels)) / len(labels)


def residual_growth(x, noises, scale):
    """The standard deviation of a stream after each addition, as torch's std gives it: a list of floats.

    The stream begins as x, and each block adds its noise, a tensor like x, times `scale`.
    """
    found = []
    for noise in noises:
        x = x + scale * noise
        found.append(x.std().item())
    return found


def average_step(weight, gradients, losses, rate):
    """One step of several processes: a pair, the new weight and the loss that is reported.

    gradients has a tensor for each process, its own for the same weight, losses a float for each. All step by `rate`
    against the mean of the gradients; the loss is the mean.
    """
    gradient = torch.stack(gradients).mean(0)
    return weight - rate * gradient, sum(losses) / len(losses)


def validation(model, loader, steps):
    """The validation loss: the mean of the losses of `steps` batches, a float; always of the same ones.

    loader.reset() makes the loader begin again, loader.next_batch() gives a pair (x, y), model(x, y) a pair (logits,
    loss). The model is put into eval mode, by model.eval(), before it is asked at all, and into training mode again, by
    model.train(), at the end.
    """
    loader.reset()
    model.eval()
    total = 0.0
    for _ in range(steps):
        x, y = loader.next_batch()
        total += float(model(x, y)[1]) / steps
    model.train()
    return total


class Training:
    """A run with momentum and dropped gradients, which can be stopped and gone on with."""

    def __init__(self, weight, rate, seed):
        self.weight, self.rate = weight, rate
        self.velocity = torch.zeros_like(weight)
        self.done = 0
        self.generator = torch.Generator().manual_seed(seed)

    def step(self, gradient):
        self.done += 1
        kept = torch.randint(5, gradient.shape, generator=self.generator) > 0
        self.velocity.mul_(0.9).add_(gradient * kept)
        self.weight.sub_(self.velocity * (self.rate / self.done))

    def saved(self):
        """All that a run needs to go on from here, whatever it does meanwhile: a dict, made as you like."""
        return {
            "weight": self.weight.clone(),
            "rate": self.rate,
            "velocity": self.velocity.clone(),
            "done": self.done,
            "generator": self.generator.get_state(),
        }

    def restored(self, state):
        """Go on from what `saved` of this or of another run gave. The state stays as it is, to be used once more."""
        self.weight = state["weight"].clone()
        self.rate = state["rate"]
        self.velocity = state["velocity"].clone()
        self.done = state["done"]
        self.generator.set_state(state["generator"])


def use_loaded(loaded, checkpoint):
    """A checkpoint's weights, transposed where they are to be: the names, and all of the tensors."""
    mine = loaded({name: w.clone() for name, w in checkpoint.items()})
    other = loaded({"transformer.h.7.mlp.c_fc.weight": torch.arange(6.0).view(2, 3), "h.3.mlp.c_fc.bias": torch.ones(3)})
    return {"names": sorted(mine), "weights": {k: v.contiguous() for k, v in mine.items()},
            "of two more": {k: v.contiguous() for k, v in other.items()}}


def use_rounded_up(rounded_up, counts):
    return calls("rounded_up", rounded_up, *((n, by) for n in counts for by in (128, 96, 1)))


def use_steps(steps, runs):
    return calls("steps", steps, *runs)


def use_expected_loss(expected_loss, counts):
    return calls("expected_loss", expected_loss, *((n,) for n in counts))


def use_shards(shards, documents, size):
    cases = [(documents, 0, size), (documents[:2], 50256, 3), (documents, 7, 1000), ([[1, 2], [3]], 0, 5)]
    return calls("shards", shards, *cases)


def use_tf32(tf32, reals):
    """Random numbers, numbers between two neighbours, very small ones and very large ones."""
    near = torch.tensor([1 + 2**-10, 1 + 2**-11, 1 + 3 * 2**-11, 1 - 2**-12, 2 + 2**-9, -1 - 2**-11])
    found = {"tf32(-x / 3)": tf32(-reals / 3), "of numbers near 1": tf32(near)}
    return {"tf32(x)": tf32(reals), **found}  # last, and no copy: so a change of it in place is noted


def use_autocast(autocast, graph):
    """The types of a block's results and of some more, with embeddings of either type."""
    found = {}
    for tok, pos in (("float32", "float32"), ("bfloat16", "bfloat16"), ("bfloat16", "float32")):
        types = autocast([(name, kind, list(of)) for name, kind, of in graph], {"tok": tok, "pos": pos})
        made = {f"{name} = {kind}({', '.join(of)})": types.get(name) for name, kind, of in graph}
        found[f"tok {tok}, pos {pos}"] = {**made, "how many results": len(types)}
    return found


def use_bf16(bf16, reals):
    """Random numbers, numbers between two neighbours, very small ones and very large ones."""
    return {"bf16(x)": bf16(reals.clone()), "bf16(-x / 3)": bf16(-reals / 3)}


def use_top_k(top_k, logits, k):
    """The probabilities that are left, for several k."""
    return {f"top_k(logits, {many})": top_k(logits.clone(), many) for many in (k, 1, logits.shape[1])}


def use_sampled(sampled, logits, k, uniforms):
    """Tokens drawn from the k likeliest, also by numbers near 0 and near 1."""
    ends = [0.0] * len(uniforms), [1.0] * len(uniforms)
    found = {
        f"sampled(logits, {many}, {some})": sampled(logits.clone(), many, list(some))
        for many in (k, 2)
        for some in (uniforms, *ends)
    }
    # Beside a probability that is 1 in any precision no other one counts: the running sum is 1.0 at the first token.
    sure = (-10.0 * torch.arange(logits.shape[1])).repeat(len(logits), 1)
    sure[:, 1] = 70
    return {**found, "of a token as good as certain, by 1.0": sampled(sure, 2, ends[1])}


def use_hellaswag_row(hellaswag_row, context, endings):
    return calls("hellaswag_row", hellaswag_row, (context, endings), (context[:1], endings[:2]), ([5], [[1], [2, 3]]))


def use_hellaswag_loss(hellaswag_loss, exam, tokens, mask):
    """The losses of four endings, and of the same ones with a larger context."""
    later = mask.clone()
    later[:, 2] = 0
    later[:, 3] = 1
    return {
        "hellaswag_loss(logits, tokens, mask)": hellaswag_loss(exam.clone(), tokens.clone(), mask.clone()),
        "of another mask": hellaswag_loss(exam.clone(), tokens.clone(), later),
    }


def use_hellaswag_answer(hellaswag_answer, losses, labels):
    cases = [(losses, labels), (losses[1:], labels[1:]), (losses[:2], [four.index(min(four)) for four in losses[:2]])]
    return calls("hellaswag_answer", hellaswag_answer, *cases)


def use_residual_growth(residual_growth, noises):
    """The growth of streams of several depths, unscaled and scaled."""
    found = {}
    begin, *rest = (noise.clone() for noise in noises)
    for many in (len(rest), len(rest) // 2):
        for scale in (1.0, many**-0.5):
            found[f"residual_growth(x, {many} noises, {scale:.6g})"] = residual_growth(begin, rest[:many], scale)
    return found


def use_average_step(average_step, weight, gradients, reported, rate):
    """A step of all processes, and of one alone."""
    found = {}
    for many in (len(gradients), 1):
        own = [grad.clone() for grad in gradients[:many]]
        new, loss = average_step(weight.clone(), own, list(reported[:many]), rate * many)
        found[f"a step of {many}"] = {"weight": new, "loss": float(loss)}
    loss = average_step(weight.clone(), [gradients[0].clone() for _ in range(3)] + [weight.clone()], [3.0, 5.0, 2.5, 3.25], rate)[1]
    return {**found, "the losses 3, 5, 2.5 and 3.25": float(loss)}


class Noisy:
    """A model that answers worse while it trains; its loss is a number of the batch's."""

    def __init__(self):
        self.training, self.asked = True, []

    def eval(self):
        self.training = False
        return self

    def train(self, mode=True):
        self.training = mode
        return self

    def __call__(self, x, y=None):
        self.asked.append(self.training)
        return x, torch.as_tensor(y + (10.0 if self.training else 0.0))


class Batches:
    """A loader over some batches, which begins again after the last."""

    def __init__(self, losses):
        self.losses, self.at = losses, 0

    def reset(self):
        self.at = 0

    def next_batch(self):
        self.at += 1
        return torch.zeros(1, 2, dtype=torch.int64), self.losses[(self.at - 1) % len(self.losses)]


def use_validation(validation, losses):
    """Validation losses of a model that answers worse while it trains: twice in a row, and of fewer batches."""
    model, loader = Noisy(), Batches([float(x) for four in losses for x in four])
    loader.next_batch()
    found = {}
    for said, steps in (("7 batches", 7), ("the same 7 once more", 7), ("3 batches", 3)):
        found[f"of {said}"] = float(validation(model, loader, steps))
    return {**found, "model.training when it is asked": any(model.asked), "model.training afterwards": model.training}


def use_resumed(Training, weight, noises, rate, seeds):
    """A run that is saved, and runs that go on from there: where their weights are after the same steps."""
    steps = [noise[: len(weight), : weight.shape[1]] for noise in noises]
    steps = [torch.cat([step] * weight.shape[1], 1)[:, : weight.shape[1]] for step in steps]

    def after(run, many):
        for step in many:
            run.step(step.clone())
        return run.weight.clone()

    run = Training(weight.clone(), rate, seeds[0])
    found = {"two steps": after(run, steps[:2])}
    state = run.saved()
    found["two steps more"] = after(run, steps[2:4])
    for said, seed, before in (("a new run", seeds[1], []), ("another new run", seeds[2], steps[:1]), ("the run itself", None, [])):
        one = run if seed is None else Training(2 * weight, 3 * rate, seed)
        after(one, before)
        one.restored(state)
        found[f"{said}, restored: its weight"] = one.weight.clone()
        found[f"{said}, restored, after the same two steps"] = after(one, steps[2:4])
    return found
