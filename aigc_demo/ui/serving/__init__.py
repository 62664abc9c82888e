"""How the page is served: requests, limits, addresses, sessions, faults."""
