"""A learner's function with one change: which change makes it right names the mistake. Pure text; runs nothing."""
