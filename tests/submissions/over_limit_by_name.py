# expect: ex1 dprobs over-limit: wrote a file of more than 1 MB
# expect: ex1 dcounts_sum_inv over-limit: used more than 512 MB of memory
# expect: ex1 dcounts_sum over-limit: had more than 64 files open
# expect: ex1 dcounts over-limit: started a process or a thread
# expect: ex1 dnorm_logits over-limit: started a process or a thread
# expect: ex1 dh error: PermissionError
# expect: ex1 db2 exact
import torch


def dprobs():
    with open("a", "wb") as file:
        file.write(b"x" * (20 << 20))


def dcounts_sum_inv():
    return torch.ones(1 << 30)


def dcounts_sum():
    return [open("/dev/null") for _ in range(200)]


def dcounts():
    import threading

    threading.Thread(target=print).start()


def dnorm_logits():
    import os

    os.fork()


def dh():
    return open("/etc/passwd").read()


def db2(dlogits):
    return dlogits.sum(0)
