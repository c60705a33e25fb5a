"""First-order changes of a body, and by what fingerprint and sentence a mistake is known."""
