"""Use cases without a page: compare, evaluate, runs, the cache of loaded models."""
