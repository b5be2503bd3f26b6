"""Event files: written, indexed, read, verified, recovered."""
