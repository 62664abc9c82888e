"""What every other room may lean on: errors, events, settings, device, run directories."""
