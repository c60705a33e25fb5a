"""Whose file is it, and what text is in it: uploads, notebooks, flat code taken apart. Runs nothing.

Doors: uploads, owners, script, cells; of flat code cut.read and statements.parse.
"""
