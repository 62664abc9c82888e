"""Training of the small network that measures images."""
