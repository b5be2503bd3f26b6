"""Hosting: from the bytes of a connection to a servant's method and back."""
