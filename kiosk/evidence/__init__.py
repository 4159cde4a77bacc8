"""Evidence: the custody of a child as a line, and a bundle of one child's day that proves itself on any computer."""
