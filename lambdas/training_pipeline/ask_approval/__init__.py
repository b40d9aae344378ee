"""Asks a person whether a candidate may be deployed."""
