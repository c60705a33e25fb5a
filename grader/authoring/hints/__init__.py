"""An item's ladder of hints, and by operation the local gradient and what to say of it."""
