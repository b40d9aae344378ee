"""Functions of the inference block."""
