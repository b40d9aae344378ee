"""Functions of the build pipeline."""
