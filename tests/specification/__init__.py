"""The rows of the specifications: what they are, and which tests show them."""
