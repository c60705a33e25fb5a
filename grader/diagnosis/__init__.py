"""A wrong answer → the mistake, by its value and by its shape. Pure; NumPy only.

Doors: diagnose, relations.Evidence, shapes, numbers_in_code, syntax.
"""
