"""Row-level formulas of a use case: written once, run over columns and row by row alike."""
