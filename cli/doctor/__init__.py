"""What would fail, found before anything is spent."""
