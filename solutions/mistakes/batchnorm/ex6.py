"""What learners get wrong here: each docstring, or first text of a tuple, is the diagnosis."""

import torch

CHANGED = {
    "Linear.__init__": [
        ("the weight is not divided by the root of fan_in", " / noise.shape[0] ** 0.5", ""),
        ("it is divided by the root of fan_out: fan_in, the weight's rows, is meant", "noise.shape[0] ** 0.5", "noise.shape[1] ** 0.5"),
        ("it is divided by fan_in itself: by its root is meant", "noise.shape[0] ** 0.5", "noise.shape[0]"),
        ("it is multiplied by the root of fan_in: divided is meant", "noise / noise", "noise * noise"),
        ("a tanh's gain, 5/3, is a factor here: there is none", "noise / noise", "5 / 3 * noise / noise"),
        ("there is a bias where bias=False says none", " if bias else None", ""),
        ("there is never a bias", "torch.zeros(noise.shape[1]) if bias else None", "None"),
        ("the bias begins as ones: zeros are meant", "torch.zeros", "torch.ones"),
        ("the bias is as long as fan_in: as fan_out is meant", "torch.zeros(noise.shape[1])", "torch.zeros(noise.shape[0])"),
        ("the weight is transposed, as torch.nn keeps it: (fan_in, fan_out) is meant", "noise / noise.shape[0] ** 0.5", "(noise / noise.shape[0] ** 0.5).T"),
    ],
    "Linear.__call__": [
        ("the weight is transposed: x times the weight is meant", "x @ self.weight", "x @ self.weight.T"),
        ("the bias is left out", "out if self.bias is None else out + self.bias", "out"),
        ("the bias is subtracted", "out + self.bias", "out - self.bias"),
        ("a tanh is taken, which is a layer of its own", "return out if", "out = torch.tanh(out)\n        return out if"),
        ("the factors are exchanged: x stands on the left", "x @ self.weight", "self.weight @ x"),
    ],
    "Linear.parameters": [
        ("the bias is missing", "[self.weight] if self.bias is None else [self.weight, self.bias]", "[self.weight]"),
        ("the bias comes first: the weight does", "[self.weight, self.bias]", "[self.bias, self.weight]"),
        ("there is an entry for the bias where there is none", "[self.weight] if self.bias is None else [self.weight, self.bias]", "[self.weight, self.bias]"),
        ("a tensor comes back: a list is meant", "[self.weight] if self.bias is None else [self.weight, self.bias]", "self.weight"),
    ],
    "Tanh.__call__": [
        ("a sigmoid is taken: tanh is meant", "torch.tanh(x)", "torch.sigmoid(x)"),
        ("a ReLU is taken: tanh is meant", "torch.tanh(x)", "torch.relu(x)"),
        ("tan is taken: tanh is meant", "torch.tanh(x)", "torch.tan(x)"),
        ("x comes back as it is", "torch.tanh(x)", "x"),
        ("tanh's derivative comes back", "torch.tanh(x)", "1 - torch.tanh(x) ** 2"),
    ],
    "Tanh.parameters": [
        ("nothing comes back: an empty list is meant", "[]", "None"),
    ],
    "BatchNorm1d.__init__": [
        ("running_var begins as zeros: ones are meant", "self.running_var = torch.ones(dim)", "self.running_var = torch.zeros(dim)"),
        ("running_mean begins as ones: zeros are meant", "self.running_mean = torch.zeros(dim)", "self.running_mean = torch.ones(dim)"),
        ("momentum is not used: it is 0.1", "self.momentum = momentum", "self.momentum = 0.1"),
        ("eps is not used: it is 1e-5", "self.eps = eps", "self.eps = 1e-5"),
        ("gamma begins as zeros: ones are meant", "self.gamma = torch.ones(dim)", "self.gamma = torch.zeros(dim)"),
        ("training begins as False: True is meant", "self.training = True", "self.training = False"),
        ("gamma and beta are exchanged", "self.gamma = torch.ones(dim)\n        self.beta = torch.zeros(dim)", "self.gamma = torch.zeros(dim)\n        self.beta = torch.ones(dim)"),
    ],
    "BatchNorm1d.__call__": [
        ("x is divided by the variance over n - 1, as var() has it: here it is over n", "x.var(0, unbiased=False)", "x.var(0)"),
        ("the running variance is the one over n: here it is over n - 1", "self.momentum * x.var(0)", "self.momentum * var"),
        ("the two variances are exchanged: over n to divide by, over n - 1 for the running one", "x.mean(0), x.var(0, unbiased=False)", "x.mean(0), x.var(0)", "self.momentum * x.var(0)\n", "self.momentum * x.var(0, unbiased=False)\n"),
        ("mean and variance run over the channels, as of a layer norm: over the batch is meant", "x.mean(0), x.var(0, unbiased=False)", "x.mean(1, keepdim=True), x.var(1, unbiased=False, keepdim=True)"),
        ("eps is left out", "(var + self.eps) ** 0.5", "var ** 0.5"),
        ("eps is added to the root: within the root is meant", "(var + self.eps) ** 0.5", "(var ** 0.5 + self.eps)"),
        ("the root is missing: x is divided by the variance", "(var + self.eps) ** 0.5", "(var + self.eps)"),
        ("gamma is left out", "self.gamma * (x - mean)", "(x - mean)"),
        ("beta is left out", " + self.beta", ""),
        ("gamma and beta are exchanged", "self.gamma * (x - mean) / (var + self.eps) ** 0.5 + self.beta", "self.beta * (x - mean) / (var + self.eps) ** 0.5 + self.gamma"),
        ("the mean is not subtracted", "(x - mean)", "x"),
        ("when not training the batch's own mean and variance are used: the running ones are meant", "mean, var = self.running_mean, self.running_var", "mean, var = x.mean(0), x.var(0, unbiased=False)"),
        ("self.training is not looked at: the batch's own mean and variance are used, and the running ones updated, each time", "if self.training:", "if True:"),
        ("in training the running values are used: the batch's own are meant", "            mean, var = x.mean(0), x.var(0, unbiased=False)\n            self.running_mean = (1 - self.momentum) * self.running_mean + self.momentum * mean\n", "            self.running_mean = (1 - self.momentum) * self.running_mean + self.momentum * x.mean(0)\n"),
        ("the running values are not updated", "            self.running_mean = (1 - self.momentum) * self.running_mean + self.momentum * mean\n            self.running_var = (1 - self.momentum) * self.running_var + self.momentum * x.var(0)\n", ""),
        ("the running mean alone is updated: the variance is to be too", "            self.running_var = (1 - self.momentum) * self.running_var + self.momentum * x.var(0)\n", ""),
        ("the running variance alone is updated: the mean is to be too", "            self.running_mean = (1 - self.momentum) * self.running_mean + self.momentum * mean\n", ""),
        ("momentum and 1 - momentum are exchanged: momentum is the new one's share", "(1 - self.momentum) * self.running_mean + self.momentum * mean", "self.momentum * self.running_mean + (1 - self.momentum) * mean", "(1 - self.momentum) * self.running_var + self.momentum * x.var(0)", "self.momentum * self.running_var + (1 - self.momentum) * x.var(0)"),
        ("momentum is not used: it is 0.1", "(1 - self.momentum)", "0.9", "self.momentum *", "0.1 *"),
        ("the running values are the last batch's alone", "(1 - self.momentum) * self.running_mean + self.momentum * mean", "mean", "(1 - self.momentum) * self.running_var + self.momentum * x.var(0)", "x.var(0)"),
        ("running_var holds the standard deviation: the variance is meant", "self.momentum * x.var(0)\n", "self.momentum * x.std(0)\n"),
    ],
    "BatchNorm1d.parameters": [
        ("the running values are among the parameters: they are not learnt", "[self.gamma, self.beta]", "[self.gamma, self.beta, self.running_mean, self.running_var]"),
        ("beta is missing", "[self.gamma, self.beta]", "[self.gamma]"),
        ("gamma and beta are exchanged", "[self.gamma, self.beta]", "[self.beta, self.gamma]"),
    ],
    "Sequential.__call__": [
        ("every layer reads the first input: each reads what the one before it gave", "            x = layer(x)\n        return x", "            out = layer(x)\n        return out if self.layers else x"),
        ("`return` stands in the loop: only the first layer is called", "        return x", "            return x\n        return x"),
        ("the layers are called from the last to the first", "in self.layers:", "in self.layers[::-1]:"),
        ("the last layer is not called", "in self.layers:", "in self.layers[:-1]:"),
        ("a list of all layers' results comes back: that of the last is meant", "        for layer in self.layers:\n            x = layer(x)\n        return x", "        found = []\n        for layer in self.layers:\n            x = layer(x)\n            found.append(x)\n        return found"),
        ("each layer's result is added to its input", "x = layer(x)", "x = x + layer(x) if x.shape == layer(x).shape else layer(x)"),
    ],
    "Sequential.parameters": [
        ("the parameters of each layer are a list of their own: one flat list is meant", "[p for layer in self.layers for p in layer.parameters()]", "[layer.parameters() for layer in self.layers]"),
        ("only the first layer's parameters are there", "in self.layers for", "in self.layers[:1] for"),
        ("only the last layer's parameters are there", "in self.layers for", "in self.layers[-1:] for"),
        ("the layers come in reversed order", "in self.layers for", "in self.layers[::-1] for"),
    ],
    "scaled_losses": [
        ("the bias is not scaled: the scale is a factor of all logits", "scale * (h @ W2 + b2)", "scale * (h @ W2) + b2"),
        ("the bias is left out", "(h @ W2 + b2)", "(h @ W2)"),
        ("h is scaled twice", "scale * (h", "scale * scale * (h"),
        ("the loss is scaled: the logits are to be", "F.cross_entropy(scale * (h @ W2 + b2), Y)", "scale * F.cross_entropy(h @ W2 + b2, Y)"),
        ("the logits are divided by the scale", "scale * (h @ W2 + b2)", "(h @ W2 + b2) / (scale + 1e-9)"),
        ("the softmax is taken twice: cross_entropy takes logits", "scale * (h @ W2 + b2), Y", "torch.softmax(scale * (h @ W2 + b2), 1), Y"),
        ("the sum is taken: the mean over the examples is meant", ", Y).item()", ", Y, reduction='sum').item()"),
        ("only the first scale's loss is there", "in scales]", "in scales[:1]]"),
        ("each scale is taken of what the one before gave: each is taken alone", "for scale in scales]", "for scale in torch.tensor(scales).cumprod(0).tolist()]"),
    ],
    "spread": [
        ("std is that of what the tanh reads: of what it gives is meant", "        x = torch.tanh(x @ (gain * noise / noise.shape[0] ** 0.5))\n        found.append((x.std()", "        y = x @ (gain * noise / noise.shape[0] ** 0.5)\n        x = torch.tanh(y)\n        found.append((y.std()"),
        ("the share is that of what the tanh reads: of what it gives is meant", "        x = torch.tanh(x @ (gain * noise / noise.shape[0] ** 0.5))\n", "        y = x @ (gain * noise / noise.shape[0] ** 0.5)\n        x = torch.tanh(y)\n", "(x.abs() > limit)", "(y.abs() > limit)"),
        ("the tanh is missing", "torch.tanh(x @ (gain * noise / noise.shape[0] ** 0.5))", "x @ (gain * noise / noise.shape[0] ** 0.5)"),
        ("gain is not used", "gain * noise", "noise"),
        ("gain is not used: 5/3 is written", "gain * noise", "5 / 3 * noise"),
        ("the root of fan_in is left out", " / noise.shape[0] ** 0.5", ""),
        ("it is divided by fan_in itself: by its root is meant", "noise.shape[0] ** 0.5", "noise.shape[0]"),
        ("it is divided by the root of fan_out: fan_in, the noise's rows, is meant", "noise.shape[0] ** 0.5", "noise.shape[1] ** 0.5"),
        ("the absolute value is missing: what is near -1 is saturated too", "x.abs() > limit", "x > limit"),
        ("the share of what is nearer to 0 than limit is given", "x.abs() > limit", "x.abs() <= limit"),
        ("limit is not used: 0.97 is written", "> limit", "> 0.97"),
        ("limit is not used: 0.99 is written", "> limit", "> 0.99"),
        ("the share is in percent", ".mean().item()))", ".mean().item() * 100))"),
        ("how many there are is given: their share is meant", "float().mean()", "float().sum()"),
        ("the variance is given: the standard deviation is meant", "x.std()", "x.var()"),
        ("every layer reads the first input: each reads what the one before it gave", "        x = torch.tanh(x @ (gain * noise / noise.shape[0] ** 0.5))\n        found.append((x.std().item(), (x.abs()", "        y = torch.tanh(x @ (gain * noise / noise.shape[0] ** 0.5))\n        found.append((y.std().item(), (y.abs()"),
        ("std and share are exchanged", "(x.std().item(), (x.abs() > limit).float().mean().item())", "((x.abs() > limit).float().mean().item(), x.std().item())"),
        ("the standard deviation is over as many as there are: over one less is meant", "x.std()", "x.std(unbiased=False)"),
        ("only the last layer is there", "return found", "return found[-1:]"),
    ],
    "grad_data": [
        ("the quotient is upside down: the gradient's over the weights' is meant", "(g.std() / w.std())", "(w.std() / g.std())"),
        ("biases are there too: what has one axis is left out", " if w.ndim == 2]", "]"),
        ("only biases are there: matrices are meant", "w.ndim == 2", "w.ndim == 1"),
        ("the logarithm is taken: the quotient itself is meant", "(g.std() / w.std())", "(g.std() / w.std()).log10()"),
        ("the quotient of the means is taken: of the standard deviations is meant", "g.std() / w.std()", "g.mean() / w.mean()"),
        ("the mean of each entry's own quotient is taken", "(g.std() / w.std())", "(g / w).abs().mean()"),
        ("the standard deviation of the quotients is taken: the quotient of the standard deviations is meant", "(g.std() / w.std())", "(g / w).std()"),
        ("the quotient of the norms is taken: of the standard deviations is meant", "g.std() / w.std()", "g.norm() / w.norm()"),
        ("only the gradient's standard deviation is given", "g.std() / w.std()", "g.std()"),
        ("the variances' quotient is taken: the standard deviations' is meant", "g.std() / w.std()", "g.var() / w.var()"),
        ("the gradients' largest over the weights' largest is taken", "g.std() / w.std()", "g.abs().max() / w.abs().max()"),
    ],
    "dead_share": [
        ("it is the share of all numbers: a neuron is dead where all of its examples are saturated", ".all(0).float().mean()", ".float().mean()"),
        ("examples are counted, for which all neurons are saturated: neurons, the columns, are meant", ".all(0)", ".all(1)"),
        ("one saturated example is enough here: all of them have to be", ".all(0)", ".any(0)"),
        ("the absolute value is missing: what is near -1 is saturated too", "h.abs() > limit", "h > limit"),
        ("columns that are all near 1 or all near -1 are counted: a mixture is saturated too", "(h.abs() > limit).all(0)", "((h > limit).all(0) | (h < -limit).all(0))"),
        ("how many there are is given: their share is meant", ".float().mean()", ".float().sum()"),
        ("the share of those that are alive is given", ".all(0).float()", ".all(0).logical_not().float()"),
        ("limit is not used: 0.99 is written", "> limit", "> 0.99"),
        ("limit is not used: 0.97 is written", "> limit", "> 0.97"),
        ("the column's mean is held against the limit: each number is to be", "(h.abs() > limit).all(0)", "(h.mean(0).abs() > limit)"),
        ("the share is in percent", ".mean().item()", ".mean().item() * 100"),
        ("half of the examples are enough here: all of them have to be", ".all(0).float()", ".float().mean(0).gt(0.5).float()"),
    ],
}


class Linear:
    """the weight is kept transposed, as torch.nn keeps it: (fan_in, fan_out) is meant"""

    def __init__(self, noise, bias=True):
        self.weight = (noise / noise.shape[0] ** 0.5).T
        self.bias = torch.zeros(noise.shape[1]) if bias else None

    def __call__(self, x):
        out = x @ self.weight.T
        return out if self.bias is None else out + self.bias
