"""The event logger: streams of events to files, many runs at once."""
