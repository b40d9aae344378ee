"""What is deployed: the foundation, which survives, and the four blocks."""
