"""The built-in dataset: random scenes, as stories, images and captions."""
