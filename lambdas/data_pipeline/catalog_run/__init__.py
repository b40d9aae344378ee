"""Makes known to the catalog and to look-ups what a run wrote."""
