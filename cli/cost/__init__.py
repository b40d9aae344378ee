"""What an environment costs a month, estimated from its templates and its configuration."""
