# --- dlogprobs ---

# the minus of the loss forgotten
# expect: sign
def dlogprobs(logprobs, Yb, n):
    d = 0 * logprobs
    for i in range(n):
        d[i, Yb[i]] = 1 / n
    return d


# not averaged
# expect: division by n is missing|1/n is missing
def dlogprobs(logprobs, Yb, n):
    out = torch.zeros_like(logprobs)
    out[torch.arange(n), Yb] = -1.0
    return out


# everywhere, not only at the labels
# expect: not only at the label|label
def dlogprobs(logprobs, n):
    return torch.full(logprobs.shape, -1.0 / n)


# divided by the number of all elements
# expect: every element|all elements|vocab_size
def dlogprobs(logprobs, Yb, n):
    out = torch.zeros_like(logprobs)
    out[range(n), Yb] = -1.0 / logprobs.numel()
    return out


# Yb indexes columns for all rows
# expect: whole columns|every row|label
def dlogprobs(logprobs, Yb, n):
    out = torch.zeros_like(logprobs)
    out[:, Yb] = -1.0 / n
    return out


# rows, not cells
# expect: row|label
def dlogprobs(logprobs, Yb, n):
    # the rows that were picked
    out = torch.zeros_like(logprobs)
    out[range(n)] = -1.0 / n
    return out


# the logprobs themselves
# expect: logprobs stands where 1 is meant
def dlogprobs(logprobs, Yb, n):
    out = torch.zeros_like(logprobs)
    out[range(n), Yb] = -logprobs[range(n), Yb] / n
    return out


# a batch of 32
# expect: 32 is written where n is meant
def dlogprobs(logprobs, Yb, n):
    d = torch.zeros(logprobs.shape)
    d[torch.arange(n), Yb] = -1 / 32
    return d


# the whole of zeros(32, 27)
# expect: 32 .*n\b.*27 .*vocab_size|32 and 27
def dlogprobs(Yb):
    d = torch.zeros((32, 27))
    d[range(32), Yb] = -1.0 / 32
    return d


# a batch of 32 in range
# expect: 32 is written where n is meant
def dlogprobs(logprobs, Yb, n):
    d = torch.zeros_like(logprobs)
    d[range(32), Yb] = -1.0 / n
    return d


# n minus one, as for the variance
# expect: n - 1 .*n is meant
def dlogprobs(logprobs, Yb, n):
    d = torch.zeros_like(logprobs)
    d[range(n), Yb] = -(n - 1) ** -1.0
    return d


# left at zero
# expect: zero
def dlogprobs(logprobs):
    d = torch.zeros_like(logprobs)
    return d


# --- dprobs ---

# multiplied by the log's argument
# expect: 1/x|multiplication by probs|division
def dprobs(probs, dlogprobs):
    return dlogprobs * probs


# the chain factor forgotten
# expect: (upstream|dlogprobs).*missing|factor dlogprobs
def dprobs(probs):
    return probs.pow(-1)


# the local derivative forgotten
# expect: dlogprobs is passed through
def dprobs(dlogprobs):
    dprobs = dlogprobs
    return dprobs


# the wrong tensor
# expect: logprobs is used
def dprobs(logprobs, dlogprobs):
    return dlogprobs / logprobs


# the sign of log
# expect: sign
def dprobs(probs, dlogprobs):
    return torch.div(-dlogprobs, probs)


# squared
# expect: square|exponent|power|divided by probs once too often
def dprobs(probs, dlogprobs):
    return dlogprobs / probs**2


# exp instead of its inverse
# expect: two slips: logprobs is used where probs is meant, and the factor `torch\.exp\(logprobs\)` is one too many
def dprobs(logprobs, dlogprobs):
    return torch.exp(logprobs) * dlogprobs / logprobs


# --- dcounts_sum_inv ---

# no sum for the row's inverse
# expect: the sum over axis 1 is missing
def dcounts_sum_inv(counts, dprobs):
    return dprobs.mul(counts)


# no keepdim
# expect: keepdim
def dcounts_sum_inv(counts, dprobs):
    return torch.sum(dprobs * counts, dim=1)


# summed the wrong way
# expect: wrong (dim|axis)
def dcounts_sum_inv(counts, dprobs):
    return torch.einsum("ij,ij->j", counts, dprobs)


# the wrong way, with keepdim
# expect: `prod\.sum\(dim=0, keepdim=True\)` goes along axis 0, where axis 1 is meant
def dcounts_sum_inv(counts, dprobs):
    prod = dprobs * counts
    return prod.sum(dim=0, keepdim=True)


# a mean
# expect: mean.*sum
def dcounts_sum_inv(counts, dprobs):
    prod = dprobs * counts
    return torch.mean(prod, 1, keepdim=True)


# precedence: only one factor is summed
# expect: before|precedence|only .* summed|sum
def dcounts_sum_inv(counts, dprobs):
    return counts * dprobs.sum(1, keepdim=True)


# precedence, the other factor
# expect: before|precedence|only .* summed|sum
def dcounts_sum_inv(counts, dprobs):
    return dprobs * counts.sum(1, keepdims=True)


# product of sums
# expect: sum.*(product|each)|product of (the )?sums
def dcounts_sum_inv(counts, dprobs):
    return counts.sum(1, keepdim=True) * dprobs.sum(1, keepdim=True)


# summed over all
# expect: `\(counts \* dprobs\)\.sum\(\)` goes over all, where axis 1 is meant
def dcounts_sum_inv(counts, dprobs):
    return (counts * dprobs).sum()


# probs for counts
# expect: probs is used
def dcounts_sum_inv(probs, dprobs):
    total = torch.zeros(probs.shape[0], 1)
    for j in range(probs.shape[1]):
        total += probs[:, j : j + 1] * dprobs[:, j : j + 1]
    return total


# counts forgotten
# expect: counts is missing|factor counts
def dcounts_sum_inv(dprobs):
    return dprobs.sum(1, keepdim=True)


# --- dcounts_sum ---

# the minus of x**-1
# expect: sign
def dcounts_sum(counts_sum, dcounts_sum_inv):
    return dcounts_sum_inv / counts_sum.square()


# the inverse not squared
# expect: square|exponent|power|factor .*_inv is missing
def dcounts_sum(counts_sum_inv, dcounts_sum_inv):
    return -1 * counts_sum_inv * dcounts_sum_inv


# exponent kept
# expect: square|exponent|power
def dcounts_sum(counts_sum, dcounts_sum_inv):
    return dcounts_sum_inv * -1 * counts_sum ** (-1)


# like a log
# expect: square|exponent|power|sign|not the local gradient
def dcounts_sum(counts_sum, dcounts_sum_inv):
    return 1 / counts_sum * dcounts_sum_inv


# times, not through
# expect: exponent|sign of|square|multipli
def dcounts_sum(counts_sum, dcounts_sum_inv):
    return -(counts_sum**2) * dcounts_sum_inv


# the upstream left out
# expect: (upstream|dcounts_sum_inv).*missing|factor dcounts_sum_inv
def dcounts_sum(counts_sum):
    return -1.0 / counts_sum**2


# --- dcounts ---

# first branch of counts only
# expect: branch through counts_sum is left out
def dcounts(counts_sum_inv, dprobs):
    return dprobs.mul(counts_sum_inv)


# second branch written over the first
# expect: branch through probs is left out
def dcounts(counts, counts_sum_inv, dprobs, dcounts_sum):
    d = counts_sum_inv * dprobs
    d = torch.ones_like(counts) * dcounts_sum
    return d


# only the second, and not expanded
# expect: branch through probs is left out
def dcounts(dcounts_sum):
    return dcounts_sum


# subtracted
# expect: branch through counts_sum has the wrong sign
def dcounts(counts_sum_inv, dprobs, dcounts_sum):
    a = counts_sum_inv * dprobs
    b = dcounts_sum
    return a - b


# second branch divided
# expect: the division by `counts\.shape\[1\]` is one too many
def dcounts(counts, counts_sum_inv, dprobs, dcounts_sum):
    return counts_sum_inv * dprobs + dcounts_sum.expand_as(counts) / counts.shape[1]


# local gradient counts in the second branch
# expect: counts_sum\b.*counts|counts
def dcounts(counts, counts_sum_inv, dprobs, dcounts_sum):
    return counts_sum_inv * dprobs + counts * dcounts_sum


# the inverse forgotten
# expect: counts_sum_inv is missing|factor counts_sum_inv|branch through probs
def dcounts(counts, dprobs, dcounts_sum):
    d = dprobs.clone()
    d += dcounts_sum
    return d


# the sum for the inverse
# expect: there is a multiplication by counts_sum where a division is meant
def dcounts(counts_sum, dprobs, dcounts_sum):
    return counts_sum * dprobs + dcounts_sum


# --- dnorm_logits ---

# passed through
# expect: dcounts is passed through
def dnorm_logits(dcounts):
    return dcounts * 1


# exp of the wrong thing
# expect: logits.*norm_logits|exp|counts|logits is used
def dnorm_logits(logits, dcounts):
    return torch.exp(logits) * dcounts


# the input, not the output
# expect: norm_logits is used
def dnorm_logits(norm_logits, dcounts):
    return norm_logits * dcounts


# probs for counts
# expect: probs is used
def dnorm_logits(probs, dcounts):
    return dcounts * probs


# a log's derivative
# expect: divi(sion|ded) by counts
def dnorm_logits(counts, dcounts):
    return dcounts / counts


# exp taken twice
# expect: exp|counts
def dnorm_logits(counts, dcounts):
    return counts.exp() * dcounts


# --- dlogit_maxes ---

# left at zero
# expect: zero
def dlogit_maxes(dnorm_logits):
    return dnorm_logits.sum(1, True) * 0


# no minus for the maximum
# expect: sign
def dlogit_maxes(dnorm_logits):
    return torch.einsum("ij->i", dnorm_logits)[:, None]


# not summed
# expect: sum.*missing
def dlogit_maxes(dnorm_logits):
    return -dnorm_logits


# down the columns
# expect: `dnorm_logits\.sum\(dim=0, keepdim=True\)` goes along axis 0, where axis 1 is meant
def dlogit_maxes(dnorm_logits):
    return -dnorm_logits.sum(dim=0, keepdim=True)


# a mean
# expect: mean.*sum
def dlogit_maxes(dnorm_logits):
    return -dnorm_logits.mean(dim=1, keepdim=True)


# keepdim forgotten
# expect: keepdim
def dlogit_maxes(dnorm_logits):
    out = -1.0 * torch.sum(dnorm_logits, 1)
    return out


# --- dlogits ---

# the maximum's branch left out
# expect: branch through logit_maxes is left out
def dlogits(dnorm_logits):
    return 1.0 * dnorm_logits


# the maximum's branch zeroed
# expect: branch through logit_maxes is left out
def dlogits(logits, dnorm_logits, dlogit_maxes):
    d = dnorm_logits.clone()
    mask = torch.zeros_like(logits)
    d += mask * dlogit_maxes
    return d


# the maximum's branch alone
# expect: branch through norm_logits is left out
def dlogits(logits, dlogit_maxes):
    idx = logits.argmax(1)
    d = torch.zeros_like(logits)
    d[range(len(idx)), idx] = dlogit_maxes.view(-1)
    return d


# zeros[idx] = 1 marks rows
# expect: row
def dlogits(logits, dnorm_logits, dlogit_maxes):
    idx = logits.max(1).indices
    mask = torch.zeros_like(logits)
    mask[idx] = 1
    return dnorm_logits + mask * dlogit_maxes


# idx of shape (32, 1): 32 x 32 cells
# expect: every row|all rows|each row.*columns|columns|keepdim
def dlogits(logits, dnorm_logits, dlogit_maxes, n):
    idx = logits.max(1, keepdim=True).indices
    mask = torch.zeros_like(logits)
    mask[range(n), idx] = 1.0
    return dnorm_logits + mask * dlogit_maxes


# one-hot of the maxes' own argmax
# expect: logit_maxes is used where logits is meant
def dlogits(logits, logit_maxes, dnorm_logits, dlogit_maxes):
    place = logit_maxes.max(1).indices
    return dnorm_logits + F.one_hot(place, num_classes=logits.shape[1]) * dlogit_maxes


# a global argmax
# expect: whole (matrix|tensor|batch)|global|one (place|cell)|all rows
def dlogits(logits, dnorm_logits, dlogit_maxes):
    mask = torch.zeros_like(logits).view(-1)
    mask[logits.argmax()] = 1
    return dnorm_logits + mask.view(logits.shape) * dlogit_maxes


# the maximum of each column
# expect: an axis of max is wrong: another is meant
def dlogits(logits, dnorm_logits, dlogit_maxes):
    mask = (logits == logits.max(0, keepdim=True).values).float()
    return dnorm_logits + mask * dlogit_maxes


# spread over the whole row
# expect: whole row|every (cell|element)|all (cells|elements)|broadcast
def dlogits(dnorm_logits, dlogit_maxes):
    return dnorm_logits + dlogit_maxes


# at the label, not at the maximum
# expect: label
def dlogits(logits, Yb, dnorm_logits, dlogit_maxes):
    at = F.one_hot(Yb, num_classes=logits.shape[1])
    return dnorm_logits + at * dlogit_maxes


# scattered over, not added
# expect: assign|written over|instead of add|=
def dlogits(logits, dnorm_logits, dlogit_maxes, n):
    d = dnorm_logits.clone()
    d[range(n), logits.argmax(1)] = dlogit_maxes.squeeze()
    return d


# the mask without its upstream gradient
# expect: dlogit_maxes
def dlogits(logits, dnorm_logits):
    return dnorm_logits + F.one_hot(logits.argmax(1), num_classes=logits.shape[1])


# subtracted
# expect: branch through logit_maxes has the wrong sign
def dlogits(logits, dnorm_logits, dlogit_maxes, n):
    d = dnorm_logits.clone()
    d[range(n), logits.argmax(1)] -= dlogit_maxes[:, 0]
    return d


# 27 classes
# expect: 27 is written where vocab_size is meant
def dlogits(logits, dnorm_logits, dlogit_maxes):
    return dnorm_logits + F.one_hot(logits.max(1).indices, 27) * dlogit_maxes


# --- dh, dW2, db2 ---

# times h, as for W2
# expect: the factor h is one too many
def dh(h, W2, dlogits):
    return (dlogits @ W2.t()) * h


# tanh taken in too early
# expect: tanh|\(1 - h|h\b
def dh(h, W2, dlogits):
    d = dlogits @ W2.transpose(0, 1)
    return d * (1 - h * h)


# a sign
# expect: sign
def dh(W2, dlogits):
    return -torch.einsum("ik,jk->ij", dlogits, W2)


# the factors exchanged: the wrong factor transposed
# expect: h and dlogits are exchanged
def dW2(h, dlogits):
    return dlogits.t() @ h


# divided by n once more
# expect: divi.* n |1/n|mean
def dW2(h, dlogits, n):
    return h.t() @ dlogits / n


# batch of outer products not summed
# expect: sum.*missing
def dW2(h, dlogits):
    return h[:, :, None] * dlogits[:, None, :]


# the first example only
# expect: last|one example|accumul|only
def dW2(h, dlogits):
    for i in range(h.shape[0]):
        d = torch.outer(h[i], dlogits[i])
    return d


# hpreact for h
# expect: hpreact is used
def dW2(hpreact, dlogits):
    return torch.einsum("bi,bj->ij", hpreact, dlogits)


# a mean down the batch
# expect: mean.*sum
def db2(dlogits):
    return torch.mean(dlogits, dim=0)


# no sum
# expect: sum.*missing
def db2(dlogits):
    return dlogits.clone()


# summed over the classes
# expect: `dlogits\.sum\(dim=-1\)` goes along axis -1, where axis 0 is meant
def db2(dlogits):
    return dlogits.sum(dim=-1)


# ones, as for a scalar bias
# expect: upstream|dlogits.*missing|ones
def db2(b2):
    return torch.ones_like(b2)


# a loop that overwrites
# expect: last|accumul|added|adds
def db2(b2, dlogits):
    total = torch.zeros_like(b2)
    for row in dlogits:
        total = row
    return total


# --- dhpreact ---

# tanh by its input
# expect: hpreact is used
def dhpreact(hpreact, dh):
    return dh - dh * hpreact.square()


# no tanh at all
# expect: dh is passed through.*tanh|tanh.*passed through
def dhpreact(dh):
    return dh.clone()


# h times dh
# expect: 1 - |tanh|derivative
def dhpreact(h, dh):
    return h * dh


# the square forgotten
# expect: exponent|square
def dhpreact(h, dh):
    return dh * (1 - h)


# the one forgotten
# expect: 1|term
def dhpreact(h, dh):
    return dh * -(h * h)


# plus
# expect: sign|added|minus|subtract
def dhpreact(h, dh):
    return dh * (1 + h.pow(2))


# the local derivative alone
# expect: dh.*missing|factor dh|upstream
def dhpreact(h):
    return 1 - torch.square(h)


# a sigmoid's derivative
# expect: sigmoid|square|tanh
def dhpreact(h, dh):
    return h * (1 - h) * dh


# tanh once more
# expect: tanh.*(twice|again|once more|already)|h is already
def dhpreact(h, dh):
    return (1 - torch.tanh(h) ** 2) * dh


# --- batch norm's gain, bias and raw value ---

# precedence
# expect: before|precedence|only .* summed|sum
def dbngain(bnraw, dhpreact):
    return bnraw * dhpreact.sum(0, keepdim=True)


# no sum
# expect: sum.*missing
def dbngain(bnraw, dhpreact):
    d = bnraw * dhpreact
    return d


# bndiff for bnraw
# expect: bndiff is used
def dbngain(bndiff, dhpreact):
    return torch.sum(dhpreact * bndiff, dim=0, keepdim=True)


# bnraw forgotten
# expect: bnraw is missing|factor bnraw|dbnbias
def dbngain(dhpreact):
    return dhpreact.sum(dim=0, keepdim=True)


# a matrix product
# expect: matrix product.*elementwise|elementwise.*matrix product|diagonal
def dbngain(bnraw, dhpreact):
    return bnraw.T @ dhpreact


# a mean by einsum and n
# expect: the division by n is one too many
def dbnbias(dhpreact, n):
    return torch.einsum("ij->j", dhpreact)[None] / n


# summed over the features
# expect: `dhpreact\.sum\(1, keepdim=True\)` goes along axis 1, where axis 0 is meant
def dbnbias(dhpreact):
    return dhpreact.sum(1, keepdim=True)


# the gain left out
# expect: dhpreact is passed through
def dbnraw(dhpreact):
    return dhpreact


# the gradient of the gain
# expect: bnraw|bngain
def dbnraw(bnraw, dhpreact):
    return bnraw * dhpreact


# divided by the gain
# expect: divi(sion|ded) by bngain
def dbnraw(bngain, dhpreact):
    return dhpreact / bngain


# the bias for the gain
# expect: bnbias is used
def dbnraw(bnbias, dhpreact):
    return dhpreact * bnbias


# --- dbnvar_inv, dbnvar ---

# bnraw for bndiff
# expect: bnraw is used
def dbnvar_inv(bnraw, dbnraw):
    return torch.sum(dbnraw * bnraw, 0, keepdim=True)


# precedence
# expect: before|precedence|only .* summed|sum
def dbnvar_inv(bndiff, dbnraw):
    return bndiff * dbnraw.sum(0)


# no sum over the broadcast dimension
# expect: sum.*missing
def dbnvar_inv(bndiff, dbnraw):
    return torch.mul(dbnraw, bndiff)


# averaged
# expect: the division by n is one too many
def dbnvar_inv(bndiff, dbnraw, n):
    acc = 0
    for i in range(n):
        acc = acc + bndiff[i] * dbnraw[i]
    return acc.unsqueeze(0) / n


# centred input for the raw input
# expect: hprebn is used
def dbnvar_inv(hprebn, dbnraw):
    return (dbnraw * hprebn).sum(0, keepdim=True)


# eps dropped
# expect: eps|1e-0?5
def dbnvar(bnvar, dbnvar_inv):
    return dbnvar_inv * -0.5 * bnvar**-1.5


# the half forgotten
# expect: 0\.5|half|1/2|\b2\b
def dbnvar(bnvar, dbnvar_inv):
    return -((bnvar + 1e-5) ** (-3 / 2)) * dbnvar_inv


# exponent not lowered
# expect: exponent
def dbnvar(bnvar, dbnvar_inv):
    return -0.5 * torch.pow(bnvar + 1e-5, -0.5) * dbnvar_inv


# exponent raised instead of lowered
# expect: exponent
def dbnvar(bnvar, dbnvar_inv):
    return dbnvar_inv * (-0.5) * (bnvar + 1e-5) ** 0.5


# the sign
# expect: sign
def dbnvar(bnvar_inv, dbnvar_inv):
    return 0.5 * bnvar_inv**3 * dbnvar_inv


# bnvar for bnvar_inv in the power
# expect: bnvar is used where bnvar_inv is meant
def dbnvar(bnvar, dbnvar_inv):
    return -0.5 * bnvar**3 * dbnvar_inv


# the inverse squared, not cubed
# expect: exponent|power|square|cube|factor .*_inv is missing
def dbnvar(bnvar_inv, dbnvar_inv):
    return -0.5 * bnvar_inv * bnvar_inv * dbnvar_inv


# --- dbndiff2, dbndiff, dbnmeani, dhprebn ---

# n for n - 1
# expect: n stands where .*n - 1
def dbndiff2(bndiff2, dbnvar, n):
    return dbnvar.expand(bndiff2.shape) / n


# one less than a batch of 32
# expect: 31 is written where n - 1 is meant
def dbndiff2(bndiff2, dbnvar):
    return dbnvar.expand(bndiff2.shape) / 31


# no 1/(n-1)
# expect: (division by|1 ?/) ?\(?n ?- ?1\)?.*missing
def dbndiff2(bndiff2, dbnvar):
    return torch.ones_like(bndiff2) * dbnvar


# not expanded
# expect: expand|broadcast
def dbndiff2(dbnvar, n):
    return dbnvar / (n - 1)


# multiplied by the tensor itself
# expect: bndiff2|ones
def dbndiff2(bndiff2, dbnvar, n):
    return 1 / (n - 1) * bndiff2 * dbnvar


# summed once more
# expect: sum|n times
def dbndiff2(bndiff2, dbnvar, n):
    return (torch.ones_like(bndiff2) * dbnvar / (n - 1)).sum(0, keepdim=True)


# first branch of bndiff only
# expect: branch through bndiff2 is left out
def dbndiff(bnvar_inv, dbnraw):
    return torch.einsum("ij,kj->ij", dbnraw, bnvar_inv)


# = for +=
# expect: branch through bnraw is left out
def dbndiff(bndiff, bnvar_inv, dbnraw, dbndiff2):
    out = bnvar_inv * dbnraw
    out = 2.0 * dbndiff2 * bndiff
    return out


# the two of the square forgotten
# expect: bndiff2.*(1/2|half|2)|2 .*missing
def dbndiff(bndiff, bnvar_inv, dbnraw, dbndiff2):
    return bnvar_inv * dbnraw + bndiff * dbndiff2


# the two of the square alone
# expect: bndiff.*missing|bndiff2
def dbndiff(bnvar_inv, dbnraw, dbndiff2):
    d = dbnraw * bnvar_inv
    d = d + 2 * dbndiff2
    return d


# bnvar for bnvar_inv
# expect: bnvar is used
def dbndiff(bndiff, bnvar, dbnraw, dbndiff2):
    return dbnraw * bnvar + dbndiff2 * bndiff * 2


# bndiff2 for bndiff
# expect: bndiff2 is used|bndiff2
def dbndiff(bndiff2, bnvar_inv, dbnraw, dbndiff2):
    return bnvar_inv * dbnraw + 2 * bndiff2 * dbndiff2


# the sign of the mean
# expect: sign
def dbnmeani(dbndiff):
    return torch.sum(dbndiff, dim=0, keepdim=True)


# not summed
# expect: sum.*missing
def dbnmeani(dbndiff):
    return -1 * dbndiff


# a mean for the mean
# expect: mean.*sum
def dbnmeani(dbndiff):
    return -dbndiff.mean(0, keepdim=True)


# the mean's branch left out
# expect: branch through bnmeani is left out
def dhprebn(dbndiff, n):
    return dbndiff + 0


# the mean's branch without 1/n
# expect: bnmeani.*(1/n|division by n|n times)|division by n
def dhprebn(dbndiff, dbnmeani):
    return dbndiff + dbnmeani


# divided by n - 1
# expect: n - 1
def dhprebn(dbndiff, dbnmeani, n):
    return dbndiff + dbnmeani / (n - 1)


# 32 in one branch
# expect: 32 is written where n is meant
def dhprebn(dbndiff, dbnmeani):
    return dbndiff + dbnmeani / 32


# only the mean's branch
# expect: branch through bndiff is left out
def dhprebn(hprebn, dbnmeani, n):
    return torch.zeros_like(hprebn) + dbnmeani / n


# the whole divided by n
# expect: bndiff.*n|divi.*n
def dhprebn(dbndiff, dbnmeani, n):
    return (dbndiff + dbnmeani) / n


# changes its argument: right, with a note
# passes: changes its argument dbndiff in place
def dhprebn(dbndiff, dbnmeani, n):
    d = dbndiff
    d += dbnmeani / n
    return d


# --- the first layer and the embedding ---

# the transpose of the wrong factor
# expect: transpose|wrong way round
def dW1(embcat, dhprebn):
    return (embcat.T @ dhprebn).T


# divided by n twice
# expect: divi.* n |1/n|mean
def dW1(embcat, dhprebn, n):
    return torch.einsum("bi,bj->ij", embcat, dhprebn) / n


# db1 as a row
# passes: leading 1
def db1(dhprebn):
    return dhprebn.sum(0, keepdim=True)


# db1 known to be zero
# expect: zero
def db1(b1):
    return torch.zeros_like(b1)


# db1 as a mean
# expect: mean.*sum
def db1(dhprebn):
    return dhprebn.mean(0)


# the view forgotten
# expect: dembcat is passed through|reshape|view
def demb(dembcat):
    return dembcat


# the view's sizes as numbers
# expect: 32.*n\b
def demb(dembcat):
    return dembcat.view(32, 3, 10)


# a view with its axes exchanged
# expect: axes|order|permut|transpose
def demb(emb, dembcat):
    return dembcat.view(emb.shape[0], emb.shape[2], emb.shape[1]).permute(0, 2, 1)


# the last write instead of the sum
# expect: last|= for|only the last
def dC(C, Xb, demb):
    d = torch.zeros_like(C)
    d[Xb] += demb
    return d


# the last write by a loop
# expect: last
def dC(C, Xb, demb):
    d = torch.zeros_like(C)
    for i in range(Xb.shape[0]):
        for j in range(Xb.shape[1]):
            d[Xb[i, j]] = demb[i, j]
    return d


# started from ones
# expect: ones|zeros|1
def dC(C, Xb, demb):
    d = torch.ones_like(C)
    for i in range(Xb.shape[0]):
        for j in range(Xb.shape[1]):
            d[Xb[i, j]] += demb[i, j]
    return d


# left at zero
# expect: zero
def dC(C):
    # no idea yet
    return torch.zeros_like(C)


# left at ones
# expect: all ones
def dC(C):
    return torch.ones_like(C)


# started from C
# expect: starts? (from|with)|C\b
def dC(C, Xb, demb):
    d = C.clone()
    d.index_add_(0, Xb.view(-1), demb.reshape(-1, demb.shape[2]))
    return d


# the shape of emb
# expect: C\[Xb\]|demb is passed through|shape.* of emb
def dC(demb):
    return demb


# the gradient looked up
# silent: look|index|shape
def dC(demb, Xb):
    return demb[Xb[:, 0] * 0]


# only the first position of the context
# expect: position|first|only
def dC(C, Xb, demb):
    d = torch.zeros_like(C)
    for i in range(Xb.shape[0]):
        d[Xb[i, 0]] += demb[i, 0]
    return d


# a mean over the lookups
# expect: the division by `hits\[:, None\]` is one too many
def dC(C, Xb, demb):
    d = torch.zeros_like(C)
    d.index_add_(0, Xb.view(-1), demb.view(-1, C.shape[1]))
    hits = torch.bincount(Xb.view(-1), minlength=C.shape[0]).clamp(min=1)
    return d / hits[:, None]


# a context of 3 and a batch of 32
# expect: 32.*n\b
def dC(C, Xb, demb):
    d = torch.zeros_like(C)
    for k in range(32):
        for j in range(3):
            ix = Xb[k, j]
            d[ix] += demb[k, j]
    return d


# 27 characters and 10 dimensions
# expect: 27.*vocab_size
def dC(Xb, demb):
    d = torch.zeros(27, 10)
    for k in range(Xb.shape[0]):
        for j in range(Xb.shape[1]):
            d[Xb[k, j]] += demb[k, j]
    return d


# --- of one's own ---

# something of its own
# expect: none
def dh(W2, dlogits):
    return torch.sin(dlogits @ W2.T) + 0.1


# a typing error in a number
# expect: the term `0\.37 \* bngain\*\*3` is one too many
def dbnraw(bngain, dhpreact):
    return bngain * dhpreact + 0.37 * bngain**3


# noise
# expect: the term `torch\.rand\(probs\.shape, generator=g\)` is one too many
def dprobs(probs, dlogprobs):
    g = torch.Generator().manual_seed(3)
    return dlogprobs / probs + torch.rand(probs.shape, generator=g)


# --- a reviewer's own: unusual ways to write a wrong answer ---

# squeezed, of a tensor whose axis is 1 long: the shape's own words tell it
# expect: squeeze is one step too many
def dcounts_sum(counts_sum, dcounts_sum_inv):
    return (-(counts_sum**-2) * dcounts_sum_inv).squeeze(1)


# one number a row, not expanded
# expect: sums of the right gradient
def dlogprobs(n):
    return torch.full((n,), -1 / n)


# an eps too small
# expect: eps.*(left out|too small)
def dbnvar(bnvar, dbnvar_inv):
    return -0.5 * (bnvar + 1e-8) ** -1.5 * dbnvar_inv


# the eps in the wrong place
# expect: eps.*place
def dbnvar(bnvar, dbnvar_inv):
    return -0.5 * (bnvar**-1.5 + 1e-5) * dbnvar_inv


# n - 2
# expect: the number that is divided by, `n - 2`, is 1 too small
def dbndiff2(bndiff2, dbnvar, n):
    return torch.ones_like(bndiff2) * dbnvar / (n - 2)


# multiplied by n, not divided
# expect: n times
def dbndiff2(bndiff2, dbnvar, n):
    return torch.ones_like(bndiff2) * dbnvar * n


# minus one, for whatever arrives
# expect: nothing arrives from upstream: it is made without dnorm_logits
def dlogit_maxes(n):
    return -torch.ones(n, 1)


# zero but for rounding
# expect: ^all zero
def db1(b1):
    return torch.zeros_like(b1) + 1e-12


# the sign alone
# expect: the factor.*counts_sum
def dcounts_sum(dcounts_sum_inv):
    return -dcounts_sum_inv


# the sum for the summands
# expect: multiplied by counts_sum,
def dnorm_logits(counts_sum, dcounts):
    return counts_sum * dcounts


# a bracket in the wrong place
# expect: bracket
def dbndiff(bndiff, bnvar_inv, dbnraw, dbndiff2):
    return bnvar_inv * (dbnraw + 2 * bndiff * dbndiff2)


# divided by the inverse
# expect: division by counts_sum_inv where a multiplication
def dcounts(counts_sum_inv, dprobs, dcounts_sum):
    return dprobs / counts_sum_inv + dcounts_sum


# the logarithm for the exponential
# expect: log\(counts\)
def dnorm_logits(counts, dcounts):
    return torch.log(counts) * dcounts


# the row's maximum for its elements
# expect: max is taken of probs where each number is meant on its own
def dprobs(probs, dlogprobs):
    return dlogprobs / probs.max(1, keepdim=True).values


# the row's maximum for its elements, which is 1
# expect: max is taken of counts where each number is meant on its own
def dcounts_sum_inv(counts, dprobs):
    return (counts.max(1, keepdim=True).values * dprobs).sum(1, keepdim=True)


# a mean that is zero
# expect: through bndiff2 is left out, or comes to nothing
def dbndiff(bndiff, bnvar_inv, dbnraw, dbndiff2):
    return bnvar_inv * dbnraw + 2 * bndiff.mean(0) * dbndiff2


# the last row skipped
# expect: n - 1 stands where n is meant
def dlogprobs(logprobs, Yb, n):
    d = torch.zeros_like(logprobs)
    for i in range(n - 1):
        d[i, Yb[i]] = -1.0 / n
    return d


# the first row skipped
# expect: `range\(1, n\)` runs over other places than are meant
def dlogprobs(logprobs, Yb, n):
    d = torch.zeros_like(logprobs)
    for i in range(1, n):
        d[i, Yb[i]] = -1.0 / n
    return d


# divided by the number of classes, as a number
# expect: 27.*n\b|labels
def dlogprobs(logprobs, Yb, n):
    d = torch.zeros_like(logprobs)
    d[range(n), Yb] = -1 / 27
    return d


# a mean, without its axis
# expect: mean
def dbnbias(dhpreact):
    return dhpreact.mean(0)


# a mean, with one axis too many
# expect: mean
def db2(dlogits):
    return dlogits.mean(0, keepdim=True)


# the numbers of the other axis, without its axis
# expect: sign
def dbngain(bnraw, dhpreact):
    return -(bnraw * dhpreact).sum(0)


# a view where the transpose is meant
# expect: view|reshape
def dh(W2, dlogits):
    return dlogits @ W2.view(W2.shape[1], W2.shape[0])


# divided by the batch's size as a number
# expect: the division by `32` is one too many
def dembcat(W1, dhprebn):
    return dhprebn @ W1.T / 32


# divided by the batch's size as a number
# expect: the division by `32` is one too many
def dW1(embcat, dhprebn):
    return embcat.T @ dhprebn / 32


# divided by the batch's size as a number
# expect: the division by `32` is one too many
def dh(W2, dlogits):
    return dlogits @ W2.T / 32


# divided by the context's size
# expect: the division by `3` is one too many
def demb(emb, dembcat):
    return dembcat.view(emb.shape) / 3


# divided by the vocabulary's size
# expect: the division by `27` is one too many
def dh(W2, dlogits):
    return dlogits @ W2.T / 27


# divided by the layer's size
# expect: the division by `64` is one too many
def dW2(h, dlogits):
    return h.T @ dlogits / 64


# half too much
# expect: the factor `1\.5` is one too many
def dnorm_logits(counts, dcounts):
    return 1.5 * counts * dcounts


# the whole cross entropy, not divided
# expect: division by n is missing
def dlogits(logits, Yb):
    return F.softmax(logits, 1) - F.one_hot(Yb, logits.shape[1])


# the transpose forgotten: torch refuses
# expect: W2 is meant transposed
def dh(W2, dlogits):
    return dlogits @ W2


# the mean's branch alone, not expanded
# expect: the term dbndiff is missing
def dhprebn(dbnmeani, n):
    return dbnmeani / n


# differentiated twice
# expect: power|exponent|twice
def dcounts_sum(counts_sum, dcounts_sum_inv):
    return -2 * counts_sum**-3 * dcounts_sum_inv


# the derivative of 1/probs
# expect: 1/probs
def dprobs(probs, dlogprobs):
    return -dlogprobs / probs**2


# the last position skipped
# expect: `range\(Xb\.shape\[1\] - 1\)` runs over other places than are meant
def dC(C, Xb, demb):
    d = torch.zeros_like(C)
    for j in range(Xb.shape[1] - 1):
        d.index_add_(0, Xb[:, j], demb[:, j])
    return d


# the last example skipped
# expect: `range\(Xb\.shape\[0\] - 1\)` runs over other places than are meant
def dC(C, Xb, demb):
    d = torch.zeros_like(C)
    for i in range(Xb.shape[0] - 1):
        d.index_add_(0, Xb[i], demb[i])
    return d


# assigned within each position
# expect: `d\[…\] \+= …` keeps only the last contribution where an index comes several times: index_add_, or a loop, adds all
def dC(C, Xb, demb):
    d = torch.zeros_like(C)
    for j in range(Xb.shape[1]):
        d[Xb[:, j]] += demb[:, j]
    return d


# the last column skipped
# expect: `range\(counts\.shape\[1\] - 1\)` runs over other places than are meant
def dcounts_sum_inv(counts, dprobs):
    d = torch.zeros(counts.shape[0], 1)
    for j in range(counts.shape[1] - 1):
        d[:, 0] += counts[:, j] * dprobs[:, j]
    return d


# the last column overwrites
# expect: `d\[:, 0\]` is assigned where it is to be added to: what was there is lost
def dcounts_sum_inv(counts, dprobs):
    d = torch.zeros(counts.shape[0], 1)
    for j in range(counts.shape[1]):
        d[:, 0] = counts[:, j] * dprobs[:, j]
    return d


# one, for minus one nth
# expect: two slips: the sign is wrong, and the division by n is missing
def dlogprobs(logprobs, Yb, n):
    d = torch.zeros_like(logprobs)
    d[range(n), Yb] = 1
    return d


# a negative mean
# expect: two slips: the sign is wrong, and .*mean
def db2(dlogits):
    return -dlogits.mean(0)


# multiplied by n, where nothing is divided by it
# expect: the factor n is one too many
def dW2(h, dlogits, n):
    return n * (h.T @ dlogits)


# --- more of them, in unusual ways ---

# einsum with axes exchanged
# expect: reshape keeps the order of the numbers: a transpose is meant
def dW2(h, dlogits):
    return torch.einsum("bi,bj->ji", h, dlogits).reshape(h.shape[1], dlogits.shape[1])


# sum of h times sum of dlogits
# silent: product of sums
def dW2(h, dlogits):
    return h.sum(0)[:, None] * dlogits.sum(0)[None]


# mean of outer products
# expect: mean.*sum
def dW2(h, dlogits):
    return torch.stack([torch.outer(a, b) for a, b in zip(h, dlogits)]).mean(0)


# numeric derivative wrong by sign of eps
# silent: sign
def dhpreact(hpreact, dh):
    return (torch.tanh(hpreact - 1e-3) - torch.tanh(hpreact)) / 1e-3 * dh


# sigmoid derivative
# expect: h \* \(1 - h\)
def dhpreact(h, dh):
    return h * (1 - h) * dh


# 1/cosh
# expect: the division by `torch\.cosh\(hpreact\)` is meant by its square: an exponent is missing
def dhpreact(hpreact, dh):
    return dh / torch.cosh(hpreact)


# clamp
# expect: clamp is one step too many
def dprobs(probs, dlogprobs):
    return dlogprobs / probs.clamp(min=1e-2)


# eps added
# expect: the eps, 0\.0001, is not that of the forward line
def dprobs(probs, dlogprobs):
    return dlogprobs / (probs + 1e-4)


# softmax renormalised
# expect: log\(probs\)
def dprobs(probs, dlogprobs):
    return dlogprobs * probs.log()


# counts sum along 0
# expect: wrong dim
def dcounts_sum_inv(counts, dprobs):
    return torch.einsum("ij,ij->j", counts, dprobs)


# mean of rows with keepdim
# expect: mean
def dcounts_sum_inv(counts, dprobs):
    return torch.mean(counts * dprobs, 1, True)


# prod
# expect: dprobs is added
def dcounts_sum_inv(counts, dprobs):
    return (counts + dprobs).sum(1, keepdim=True)


# without probs' branch's factor
# expect: counts_sum_inv is missing
def dcounts(dprobs, dcounts_sum):
    return dprobs + dcounts_sum


# counts_sum branch twice
# expect: the step `d \+= dcounts_sum` is one too many
def dcounts(counts_sum_inv, dprobs, dcounts_sum):
    d = counts_sum_inv * dprobs
    d += dcounts_sum
    d += dcounts_sum
    return d


# branch mean over rows
# expect: the division by `counts\.shape\[1\]` is one too many
def dcounts(counts, counts_sum_inv, dprobs, dcounts_sum):
    return counts_sum_inv * dprobs + dcounts_sum / counts.shape[1]


# multiply branches
# expect: multiplied where it is to be added
def dcounts(counts_sum_inv, dprobs, dcounts_sum):
    return counts_sum_inv * dprobs * dcounts_sum


# exp of counts
# expect: exp\(counts\)
def dnorm_logits(counts, dcounts):
    return counts.exp() * dcounts


# norm_logits only
# expect: largest logit
def dnorm_logits(norm_logits, dcounts):
    return (norm_logits + 1) * dcounts


# divided by norm
# expect: the division by counts_sum is one too many
def dnorm_logits(counts, counts_sum, dcounts):
    return counts / counts_sum * dcounts


# abs
# expect: abs is one step too many
def dnorm_logits(counts, dcounts):
    return (counts * dcounts).abs()


# relu
# silent: negative|zero
def dlogits(dnorm_logits):
    return F.relu(dnorm_logits)


# argmin
# expect: argmin is used where argmax is meant
def dlogits(logits, dnorm_logits, dlogit_maxes, n):
    d = dnorm_logits.clone()
    d[range(n), logits.argmin(1)] += dlogit_maxes.view(-1)
    return d


# subtract the max branch
# expect: logit_maxes has the wrong sign
def dlogits(logits, dnorm_logits, dlogit_maxes, n):
    d = dnorm_logits.clone()
    d[range(n), logits.argmax(1)] -= dlogit_maxes.view(-1)
    return d


# amax spread
# silent: mean
def dlogits(dnorm_logits):
    return dnorm_logits - dnorm_logits.mean(1, keepdim=True)


# dnorm minus its sum
# silent: sum
def dlogits(dnorm_logits):
    return dnorm_logits - dnorm_logits.sum(1, keepdim=True)


# rounding
# expect: round is one step too many
def dh(W2, dlogits):
    return torch.round(dlogits @ W2.T * 1000) / 1000


# flipped
# expect: flip is one step too many
def dh(W2, dlogits):
    return (dlogits @ W2.T).flip(0)


# sorted
# expect: another order
def db2(dlogits):
    return dlogits.sum(0).sort().values


# cumsum
# expect: `dlogits\.cumsum\(0\)\[-2\]` takes another part than is meant
def db2(dlogits):
    return dlogits.cumsum(0)[-2]


# max
# expect: amax is used where sum is meant
def dbnbias(dhpreact):
    return dhpreact.amax(0, keepdim=True)


# std instead
# expect: eps
def dbnvar(bnvar, dbnvar_inv):
    return -0.5 * bnvar.sqrt() ** -3 * dbnvar_inv


# missing half
# expect: the factor 0\.5 is missing
def dbnvar(bnvar, dbnvar_inv):
    return -((bnvar + 1e-5) ** -1.5) * dbnvar_inv


# n from the wrong axis
# expect: `bndiff2\.shape\[1\]` is the length of another axis than is meant
def dbndiff2(bndiff2, dbnvar):
    return torch.ones_like(bndiff2) * dbnvar / (bndiff2.shape[1] - 1)


# masked
# expect: `bndiff2 > 0\.01` marks other places than are meant
def dbndiff2(bndiff2, dbnvar, n):
    return (bndiff2 > 0.01).float() * dbnvar / (n - 1)


# 3 for 2
# silent: derivative|exponent
def dbndiff(bndiff, bnvar_inv, dbnraw, dbndiff2):
    return bnvar_inv * dbnraw + 3 * bndiff**2 * dbndiff2


# abs
# expect: abs is one step too many
def dbndiff(bndiff, bnvar_inv, dbnraw, dbndiff2):
    return bnvar_inv * dbnraw + 2 * bndiff.abs() * dbndiff2


# minus mean of the other
# expect: bnmeani has the wrong sign
def dhprebn(dbndiff, dbnmeani, n):
    return dbndiff - dbnmeani / n


# centred
# expect: a sum is taken where a mean is meant
def dhprebn(dbndiff):
    return dbndiff - dbndiff.sum(0, keepdim=True)


# half batch
# expect: n stands where n \* 2 is meant
def dW1(embcat, dhprebn, n):
    return embcat[: n // 2].T @ dhprebn[: n // 2]


# unique rows
# expect: mean
def dC(C, Xb, demb):
    d = torch.zeros_like(C)
    for v in Xb.unique():
        d[v] = demb[Xb == v].mean(0)
    return d


# flat view
# expect: reshape keeps the order of the numbers: a transpose is meant
def dembcat(W1, dhprebn):
    return dhprebn @ W1.reshape(W1.shape[1], W1.shape[0])


# embcat order
# expect: flip is one step too many
def demb(emb, dembcat):
    return dembcat.view(emb.shape[0], emb.shape[1], -1).flip(1)


# tiny
# expect: the factor `1e-7` is one too many
def dembcat(W1, dhprebn):
    return (dhprebn @ W1.T) * 1e-7


# label softmax
# silent: label
def dlogprobs(logprobs, Yb, n):
    return -F.softmax(logprobs, 1) / n


# row of ones
# expect: another order
def dlogprobs(logprobs, Yb, n):
    d = torch.zeros_like(logprobs)
    d[:, 0] = -1 / n
    return d


# shifted labels
# expect: Yb \+ 1 stands where Yb is meant
def dlogprobs(logprobs, Yb, n):
    d = torch.zeros_like(logprobs)
    d[range(n), (Yb + 1) % logprobs.shape[1]] = -1 / n
    return d


# sqrt n
# expect: the exponent of n is off
def dlogprobs(logprobs, Yb, n):
    d = torch.zeros_like(logprobs)
    d[range(n), Yb] = -1 / n**0.5
    return d


# gain twice
# expect: `bngain \* dhpreact` is averaged where each number is meant on its own
def dbnraw(bngain, dhpreact):
    return (bngain * dhpreact).mean(0, keepdim=True)


# meani with n
# expect: the factor n is one too many
def dbnmeani(dbndiff, n):
    return -dbndiff.sum(0, keepdim=True) * n


# dbngain of hpreact
# expect: hpreact is used
def dbngain(hpreact, dhpreact):
    return (hpreact * dhpreact).sum(0, keepdim=True)


# dbnraw ignoring gain
# silent: local gradient|tanh
def dbnraw(dhpreact, h):
    return (1 - h**2) * dhpreact


# multiplied by what is to be divided by
# expect: ^there is a multiplication by probs where a division is meant
def dprobs(dlogprobs, probs):
    return dlogprobs * probs


# whole columns, and the lecture's 32
# expect: 32 is written where n is meant, and `d\[:, Yb\]` marks whole columns
def dlogprobs(logprobs, Yb):
    d = torch.zeros_like(logprobs)
    d[:, Yb] = -1 / 32
    return d


# no sum along an axis that could keep it
# expect: none
def dcounts_sum_inv(counts, dprobs):
    return torch.einsum("ij,ij->i", counts, dprobs)


# kept, and then squeezed away
# expect: squeeze is one step too many
def dcounts_sum_inv(counts, dprobs):
    return (counts * dprobs).sum(1, keepdim=True).squeeze()


# eps forgotten in the other branch: the one through bndiff2 is right
# expect: the eps is left out where bnvar is used
def dbndiff(bnvar, bndiff, dbnraw, dbndiff2):
    return bnvar**-0.5 * dbnraw + 2 * bndiff * dbndiff2
