"""The dashboard: a snapshot of an installation goes in, text comes out."""
