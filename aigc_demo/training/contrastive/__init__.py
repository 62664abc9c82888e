"""Training of a dual encoder for texts and images, as CLIP is trained."""
