"""Networks for text: attention, the Transformer, and what is made of its blocks."""
