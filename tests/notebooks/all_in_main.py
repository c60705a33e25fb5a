# as: script
# expect: ex1 not-written
# expect: ex1.dlogprobs, ex1.dprobs pass
# expect: ex2, ex3, ex4 not-written
# expect-text: ex1.dprobs found as probs_grad
#: setup
def main():
#:: forward
    dlogprobs = torch.zeros_like(logprobs)
    dlogprobs[range(n), Yb] = -1.0/n
    probs_grad = dlogprobs / probs
    torch.testing.assert_close(probs_grad, probs.grad, rtol=1e-4, atol=1e-6)

if __name__ == "__main__":
    main()
