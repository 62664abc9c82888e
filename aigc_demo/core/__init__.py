"""Shared by all packages: errors, events, settings, device, files, run directories."""
