"""Calling: stubs, the connections on which they call, and what they tell their callers."""
