"""Takes a person's decision on a model version, over the signed API."""
