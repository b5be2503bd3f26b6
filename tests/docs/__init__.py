"""The documentation does what it says: snippets run, links lead somewhere."""
