"""Checks training configurations as they arrive in the config store."""
