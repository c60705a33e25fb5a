"""A wrong shape → the operation that made it: read from the source, never run."""
