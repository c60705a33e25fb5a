"""Exercises and a grader for people who learn backpropagation by hand."""

__version__ = "0.1.0"
