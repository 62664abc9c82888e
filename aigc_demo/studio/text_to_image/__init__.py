"""What is done with models that make images of captions."""
