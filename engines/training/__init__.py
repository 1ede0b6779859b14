"""Training of the painters; needs the extra `train`."""
