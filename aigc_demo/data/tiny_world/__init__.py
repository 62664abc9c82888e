"""The built-in data: scenes drawn at random, seen as stories, images and captions."""
