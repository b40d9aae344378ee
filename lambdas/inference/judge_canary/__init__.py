"""Judges a new version while both versions answer."""
