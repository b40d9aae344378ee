"""What glues the stages: one folder a function, grouped by block."""
