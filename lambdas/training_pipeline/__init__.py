"""Functions of the training pipeline."""
