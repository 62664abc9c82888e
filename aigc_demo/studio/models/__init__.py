"""The models by name: catalogue, cache, who uses them now, and how they are stopped."""
