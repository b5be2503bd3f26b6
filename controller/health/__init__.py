"""Examinations of an installation; each gives findings with cause and remedy."""
