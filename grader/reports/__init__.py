"""One file a renderer; each is a function from a Report."""
