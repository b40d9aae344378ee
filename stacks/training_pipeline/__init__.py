"""From a dataset version to a registered, judged model."""
