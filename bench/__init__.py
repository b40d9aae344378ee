"""Benchmarks: each prints one JSON line a figure, measured beside its peer in the same run."""
