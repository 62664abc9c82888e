"""One protocol for everything that writes text or draws pictures, and what decodes it."""
