"""Models that make images of captions, and those that score, restore or check them."""
