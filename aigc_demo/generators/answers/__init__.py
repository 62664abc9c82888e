"""Models that answer a text with another one: encoder-decoders, ours and the library's."""
