"""Keyword dictionaries are read, looked up and applied."""
