"""What is done with models that make images from noise."""
