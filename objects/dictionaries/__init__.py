"""Keyword dictionaries: read from three forms of files, looked up, applied to keywords."""
