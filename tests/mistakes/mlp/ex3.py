# --- dhpreact ---

# the derivative by the input, not the output
# expect: hpreact
def dhpreact(hpreact, dh):
    return (1 - hpreact**2) * dh


# --- dembcat ---

# the lecture's sizes: three places of two numbers (the verdict says it)
# expect: `\(dhpreact @ W1\.T\)\[:, :6\]` takes another part than is meant
def dembcat(W1, dhpreact):
    return (dhpreact @ W1.T)[:, :6]


# --- db1 ---

# the mean of the batch
# expect: mean|times
def db1(dhpreact):
    return dhpreact.mean(0)
