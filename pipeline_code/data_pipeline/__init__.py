"""Raw files in, quarantined records and immutable dataset versions out."""
