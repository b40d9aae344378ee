"""What serves the same model in other stacks, with our own scoring: only the stack differs."""
