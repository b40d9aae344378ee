"""The typed configuration of each environment."""
