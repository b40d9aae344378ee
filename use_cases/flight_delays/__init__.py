"""Flight delays: will a departure from New York be late or cancelled, asked two hours before."""
