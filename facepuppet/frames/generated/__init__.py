"""Faces by a large network that the user has brought (LivePortrait), in the built-in maker's pictures."""
