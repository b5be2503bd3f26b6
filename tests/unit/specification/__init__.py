"""The specification-row machinery."""
