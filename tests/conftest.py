"""Tests run in two processes at once, each with one thread: threads that wait for each other are slower."""

import os

if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")
