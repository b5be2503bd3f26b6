"""The report of a run: one HTML file with drawings, and plain text."""
