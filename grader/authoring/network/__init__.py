"""Anybody's network as an authored file: traced, written as a flat forward program, with its backward pass.

For authors: neither the wheel nor a release has this folder.
"""
