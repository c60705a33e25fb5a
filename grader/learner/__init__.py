"""What a learner keeps and sees in a process of their own: cmp and check, progress, watch, pytest, grade().

Doors: api, notebook, magic, progress, watch.*, explain.
"""
