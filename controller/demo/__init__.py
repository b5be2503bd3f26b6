"""The demonstration: one acquisition of real frames, from the start of everything to its product."""
