"""Verifies a deployment by its model's golden requests."""
