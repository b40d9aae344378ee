"""Plans a training: what to train on what, under which names."""
