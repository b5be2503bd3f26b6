"""Coming from other systems: their files made ours, and a word about each of their settings."""
