"""The range of seeds."""

MAX_SEED = 2**31 - 1
"""The largest; the smallest is 0."""
