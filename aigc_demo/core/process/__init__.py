"""The process: output, signals, operating system differences, and the worker of a run."""
