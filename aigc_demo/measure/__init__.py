"""How good is it: figures on held-out data."""
