"""A background server of the user's own, which keeps the zygote warm between two checks."""
