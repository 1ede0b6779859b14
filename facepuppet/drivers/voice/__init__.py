"""A voice as a driver: of a file, or of a microphone."""
