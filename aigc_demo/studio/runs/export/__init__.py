"""A run out of its directory: as an archive, which can be imported again, as a model folder, on the Hub."""
