"""One process of ours: printing, signals, temporary state, and the others that it may meet."""
