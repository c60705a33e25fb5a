"""A transformer, forward.

Ten exercises take the transformer apart backwards. Here it is built: from one head of attention up to the whole
network, each module out of those before it, under the names that the lecture gives them. Around it stand the split of
the data, the examples that one row of a batch holds, the estimate of the loss, and dropout.

Modules are torch.nn.Modules, and layers with weights are nn.Linear and nn.Embedding. Their weights are set from
outside, by the names of the parameters: so every attribute is to be called as its task says. What the lecture has as
global names, n_embd, block_size and dropout, are arguments here. Dropout sits on the attention's weights alone: it is
the last argument, and 0 where nobody gives it.
"""

import torch
import torch.nn as nn
import torch.nn.functional as F


def split(data, share):
    """The tokens in two tensors, training and validation: the first `share` of them, and the rest.

    data is a tensor of one axis; the cut is at int(share · n), where n is how many there are. The lecture's
    share is 0.9.
    """
    raise NotImplementedError("split: not written yet")


def starts(n, T, uniforms):
    """Where the rows of a batch begin, by uniform numbers from 0 up to 1, without it: a list of integers.

    Of n tokens a row takes T, and its targets the T that begin one further on. All places where a row and its
    targets have room are equally likely, and a uniform number u takes the one a share u of the way: int(u times how
    many there are).
    """
    raise NotImplementedError("starts: not written yet")


def examples(row):
    """What one row teaches: a list of pairs (context, target).

    row is a list of T + 1 tokens, of which x has the first T and y the last T. There are T pairs, whose contexts have one
    token, two, and so on up to T, each with the token that follows it. [18, 47, 56] gives ([18], 47) and ([18, 47], 56).
    """
    raise NotImplementedError("examples: not written yet")


def attention(q, k, v, mask):
    """Scaled dot-product attention of queries (B, Tq, d), keys (B, Tk, d) and values (B, Tk, c): (B, Tq, c).

    mask is None, or a tensor of torch.bool, (Tq, Tk), that is True where a query may see a key. Scores are
    divided by the root of d before the softmax.
    """
    raise NotImplementedError("attention: not written yet")


class Head(nn.Module):
    """One head of masked self-attention."""

    def __init__(self, n_embd, head_size, block_size, dropout=0.0):
        """The linear layers `key`, `query` and `value`, from n_embd to head_size, none with a bias.

        `dropout`, an nn.Dropout of that share. And the triangle `tril`, a buffer of (block_size, block_size), if
        you like it to be one.
        """
        raise NotImplementedError("Head.__init__: not written yet")

    def forward(self, x):
        """x (B, T, n_embd) to (B, T, head_size): no token sees a later one. T is at most block_size.

        The weights, (B, T, T), go through self.dropout before they weigh the values.
        """
        raise NotImplementedError("Head.forward: not written yet")


class MultiHeadAttention(nn.Module):
    """Several heads side by side, and a linear layer that mixes them."""

    def __init__(self, n_embd, num_heads, head_size, block_size, dropout=0.0):
        """`heads`, an nn.ModuleList of Heads with that dropout; `proj`, a linear layer with a bias, back to n_embd."""
        raise NotImplementedError("MultiHeadAttention.__init__: not written yet")

    def forward(self, x):
        """x (B, T, n_embd) to the same shape: the heads' results side by side, through proj."""
        raise NotImplementedError("MultiHeadAttention.forward: not written yet")


class FeedForward(nn.Module):
    """Two linear layers with a ReLU between them, for each token by itself."""

    def __init__(self, n_embd):
        """`net`, an nn.Sequential: linear to 4 · n_embd, ReLU, linear back, both with biases."""
        raise NotImplementedError("FeedForward.__init__: not written yet")

    def forward(self, x):
        """x (B, T, n_embd) to the same shape."""
        raise NotImplementedError("FeedForward.forward: not written yet")


class LayerNorm(nn.Module):
    """Each token normalised over its channels. Without nn.LayerNorm and F.layer_norm: by hand."""

    def __init__(self, dim, eps=1e-5):
        """`weight`, ones, and `bias`, zeros: nn.Parameters of (dim,). And eps is kept."""
        raise NotImplementedError("LayerNorm.__init__: not written yet")

    def forward(self, x):
        """weight · (x - mean) / the root of (variance + eps) + bias; the variance is the one that divides by dim."""
        raise NotImplementedError("LayerNorm.forward: not written yet")


class Block(nn.Module):
    """A transformer block: attention, then the feed-forward net, each beside a residual connection."""

    def __init__(self, n_embd, n_head, block_size, dropout=0.0):
        """`sa`, heads of n_embd // n_head with that dropout; `ffwd`; and the norms `ln1` and `ln2`, a LayerNorm each."""
        raise NotImplementedError("Block.__init__: not written yet")

    def forward(self, x):
        """x (B, T, n_embd) to the same shape. The norm comes before the attention, and before the net."""
        raise NotImplementedError("Block.forward: not written yet")


class GPT(nn.Module):
    """The lecture's language model: tables, blocks, a last norm, and logits."""

    def __init__(self, vocab_size, n_embd, block_size, n_head, n_layer, dropout=0.0):
        """All its parts, under the lecture's names:

        `token_embedding_table` and `position_embedding_table`, each an nn.Embedding into n_embd; `blocks`, an
        nn.Sequential of n_layer Blocks with that dropout; `ln_f`, a LayerNorm; `lm_head`, a linear layer to vocab_size, with a bias.
        """
        raise NotImplementedError("GPT.__init__: not written yet")

    def forward(self, idx, targets=None):
        """Tokens idx (B, T) to a pair (logits, loss).

        logits are (B, T, vocab_size). The loss is None without targets; with targets, (B, T), it is the mean cross
        entropy over all B · T positions, and the logits may be (B · T, vocab_size) then, as in the lecture.
        """
        raise NotImplementedError("GPT.forward: not written yet")


def estimate_loss(model, batches):
    """The mean loss of each split: a dict like `batches`, from the split's name to a float.

    batches has a list of pairs (x, y) for each split; model(x, y) gives (logits, loss). The model is put into eval mode,
    by model.eval(), before it is asked at all, and into training mode again, by model.train(), at the end.
    """
    raise NotImplementedError("estimate_loss: not written yet")


def dropout(x, p, uniforms, training):
    """Dropout of x by the uniform numbers, which have the shape of x, between 0 and 1.

    In training a number is dropped, that is 0, where its uniform number is less than p; what stays is divided by 1 - p.
    When not training x comes out as it is.
    """
    raise NotImplementedError("dropout: not written yet")
