"""A class: uploads → results, resumable → grades.

Doors: batch, files, gradebook.
"""
