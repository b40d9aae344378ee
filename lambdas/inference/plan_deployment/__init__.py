"""Plans a deployment: what to create, and what exists already."""
