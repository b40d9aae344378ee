"""Answers what is known: models, deployments, what a prediction rests on, and the API itself."""
