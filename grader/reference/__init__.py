"""Autograd, the only judge: the forward program run, and pulled back. Torch; trusted.

Doors: program, training, oracle.
"""
