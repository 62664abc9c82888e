"""The tab Text."""
