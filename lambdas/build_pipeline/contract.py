"""Settings of the build pipeline's functions."""
