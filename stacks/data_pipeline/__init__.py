"""From raw sources to immutable dataset versions."""
