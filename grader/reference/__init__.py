"""Autograd, the only judge: the forward program run, and pulled back. Torch; trusted.

Doors: forward, program, training, draws, oracle.
"""
