"""From a push to a deployment."""
