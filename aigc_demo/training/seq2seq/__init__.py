"""Training of an encoder-decoder to answer a text with another one, ours or the library's."""
