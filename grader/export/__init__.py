"""Exercises as assignments of other people's notebook graders: one file a platform, over one set of cells."""
