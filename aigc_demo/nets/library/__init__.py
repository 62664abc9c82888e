"""Networks put together from layers of a library."""
