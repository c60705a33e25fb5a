"""Where exercises and fixtures lie on disk: found, read, verified, replaced whole.

Doors: find, fixtures, files.
"""
