"""Training data: from clips and stills to face-aligned samples of (warped, source, contours, target)."""
