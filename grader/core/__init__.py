"""The words everything is said in: exercises, verdicts, errors, plain data. No file, no NumPy, no torch.

Doors: exercise, verdict, errors, text, plain, course, calling.
"""
