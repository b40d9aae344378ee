"""Constructs that more than one block uses, one class a file."""
