"""Run control: one run over many writers, and what became of it."""
