"""A class: uploads → results, resumable → grades.

Doors: batch, files, summary, gradebook.
"""
