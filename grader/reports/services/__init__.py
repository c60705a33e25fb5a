"""Reports as the services read them: one file a service."""
