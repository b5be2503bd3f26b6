"""The alarm service: its decisions, its log, its component."""
