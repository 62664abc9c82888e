"""Visitors and their limits."""
