"""Text-to-image models, and those that score, restore or check their images."""
