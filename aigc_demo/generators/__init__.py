"""One protocol for everything that writes text or draws images, and what decodes it."""
