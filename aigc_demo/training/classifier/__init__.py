"""Training of the image encoder that measures images."""
