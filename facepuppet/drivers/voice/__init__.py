"""A voice as a driver: of a file, of a microphone, or of text that is read out."""
