"""Pretraining of an encoder on masked words and next sentences, ours or the library's."""
