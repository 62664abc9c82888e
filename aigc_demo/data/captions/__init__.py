"""Images with captions: which caption belongs to which image, and how pairs are prepared."""
