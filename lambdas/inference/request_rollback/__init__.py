"""Takes the wish to go back to an earlier version, and starts the workflow that does so."""
