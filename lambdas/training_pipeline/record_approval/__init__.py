"""Makes a decision the state of a candidate."""
