"""Files and folders: where they may lie, how they are written, what is checked before one is read."""
