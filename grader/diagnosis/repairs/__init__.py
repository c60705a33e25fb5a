"""A learner's function with one change: the one that makes it right names the mistake. Pure; runs nothing."""
