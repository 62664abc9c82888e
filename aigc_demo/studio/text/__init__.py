"""What is done with models that write text."""
