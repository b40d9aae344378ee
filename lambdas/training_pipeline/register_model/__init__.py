"""Registers a judged model under the next version, exactly once."""
