"""Mistakes that no single change of a solution makes: each docstring is the diagnosis."""


def dhidden(hidden, dact):
    """the gate is open where hidden is exactly 0: it is to be shut there, open only above 0"""
    return dact * (hidden >= 0)
