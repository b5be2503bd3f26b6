"""Project information and configurations: what every writer puts into its files."""
