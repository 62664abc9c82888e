"""Files: path checks, atomic writes, manifests, and checks of untrusted files before they are read."""
