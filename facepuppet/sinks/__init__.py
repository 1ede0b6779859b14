"""Where marked frames go: virtual camera, video file, preview window."""
