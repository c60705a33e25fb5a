"""The process that has torch imported: it forks a child for each submission, and confines it."""
