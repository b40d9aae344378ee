"""Application Auto Scaling: endpoints get and give up instances as their load asks."""
