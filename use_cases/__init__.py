"""Use cases: one folder each, chosen by name; the rest of the repository knows none of them."""
