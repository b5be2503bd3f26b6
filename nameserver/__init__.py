"""The name service: a server of its own, and the client that every component uses."""
