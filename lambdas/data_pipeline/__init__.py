"""Functions of the data pipeline."""
