"""The loops that train: generators of events, one per family."""
