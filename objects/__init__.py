"""The servants: every component that runs in a process of its own."""
