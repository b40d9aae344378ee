"""Buildspecs and what they call."""
