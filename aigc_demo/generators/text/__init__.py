"""Models that write text: one protocol, sampling and decoding, scoring."""
