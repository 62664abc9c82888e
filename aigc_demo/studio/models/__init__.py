"""Models by name: catalog, cache, time slices, cancellation."""
