"""Models that make images from noise: one protocol, ours and the library's."""
