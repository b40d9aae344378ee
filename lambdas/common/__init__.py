"""Shared by every function: settings, events, errors, logging, the ledger."""
