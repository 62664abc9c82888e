"""The models by name: catalog, cache, who uses them now, and how they are stopped."""
