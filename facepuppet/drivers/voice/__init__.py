"""A voice as a driver: typed text that is read out."""
