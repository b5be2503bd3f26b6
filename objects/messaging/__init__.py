"""The event channel and the log service."""
