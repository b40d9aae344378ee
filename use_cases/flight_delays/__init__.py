"""Flight delays: will a departure from New York arrive late or not at all, asked two hours before."""
