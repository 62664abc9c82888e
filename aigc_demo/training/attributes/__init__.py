"""Training of the network that reads what an image of the tiny world shows."""
