"""Collects what landed into a batch and claims it."""
