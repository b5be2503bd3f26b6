"""What is declared, beside what was: reference pages and the history of each interface."""
