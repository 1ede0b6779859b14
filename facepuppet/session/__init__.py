"""A run: live or offline, from a driver to sinks, under control."""
