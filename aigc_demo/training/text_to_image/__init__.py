"""Training of our text-to-image generator."""
