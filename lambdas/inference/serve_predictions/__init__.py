"""Answers the API: asks the endpoint, stores every prediction, finds stored ones."""
