"""Records that a version serves from now on."""
