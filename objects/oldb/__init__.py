"""The online database: the present state of everything, by key."""
