"""Measurements of the grader, as ratios; see `common.py`. Nothing here is installed."""
