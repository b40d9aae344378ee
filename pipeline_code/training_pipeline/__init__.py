"""Members trained one by one, stacked, and evaluated against the champion."""
