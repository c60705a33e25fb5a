"""Report → text, one renderer a file: pages/, services/, and what both share.

Doors: one `render` each; table, document, screen.
"""
