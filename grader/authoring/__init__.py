"""One authored file → stub, notebook, fixtures, hints, hand-outs. Torch; build time.

Doors: authored, build, skeleton, handout.release, handout.leaks.
"""
