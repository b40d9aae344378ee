"""Gives a training's claim back after a failed run."""
