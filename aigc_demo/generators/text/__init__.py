"""Text models: one protocol, sampling and decoding, scoring."""
