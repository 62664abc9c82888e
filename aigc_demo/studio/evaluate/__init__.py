"""How good a model is, and its publication with that figure on its card."""
