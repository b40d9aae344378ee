"""Ends the right to train, and asks for the training that waited."""
