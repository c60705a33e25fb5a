"""The only place where a submission's code runs: client (trusted), zygote, child (untrusted), wire."""
