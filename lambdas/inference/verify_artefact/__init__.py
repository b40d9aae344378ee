"""Verifies a model's seal before anything of it is served."""
