"""What every component stands on: its site, its process, its supervisor."""
