"""`grader watch`: what a save changed, keys and signals, and the screen that shows one item."""
