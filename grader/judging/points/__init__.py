"""Points for what passed, by an instructor's policy. Pure."""
