"""The tab Text to image."""
