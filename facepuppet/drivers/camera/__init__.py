"""A person before a camera: track, smooth, measure against rest."""
