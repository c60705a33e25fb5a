"""A notebook's or a flat script's code, taken apart: its statements, what they read and write, each
item's function cut out.
"""
