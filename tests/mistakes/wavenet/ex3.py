# n where n * t numbers share a mean
# expect: n \* t|positions
def dx(gamma, inv, xhat, dy, n):
    return gamma * inv / n * (n * dy - dy.sum((0, 1)) - n / (n - 1) * xhat * (dy * xhat).sum((0, 1)))


# the first version: sums over the examples alone
# expect: positions|axis|dim
def dx(gamma, inv, xhat, dy, n):
    return gamma * inv * (dy - dy.mean(0) - xhat * (dy * xhat).sum(0) / (n - 1))


# no Bessel
# expect: Bessel|n ?\* ?t - 1|m - 1
def dx(gamma, inv, xhat, dy):
    return gamma * inv * (dy - dy.mean((0, 1)) - xhat * (dy * xhat).mean((0, 1)))
