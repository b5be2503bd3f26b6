"""The scripts of ``examples/`` do what they say."""
