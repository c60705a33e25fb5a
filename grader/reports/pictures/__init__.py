"""The lectures' pictures as SVG of our own, from plain values: what a learner's functions gave."""
