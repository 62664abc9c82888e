"""Tensors in, tensors out: the networks, each with the formula of its loss."""
