"""Training of a decoder-only language model, ours or the library's."""
