"""AIGC Demo: generative models written from scratch, beside their library and pretrained peers."""

__version__ = "0.1.0"
