"""Gathers the members' artefacts for the stacker, and remembers them."""
