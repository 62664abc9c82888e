"""Training data: sources and preprocessing."""
