"""Scripts that run in somebody else's container: they import nothing of ours."""
