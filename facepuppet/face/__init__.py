"""What a face is: its mesh, its mean, its pose and gaze, and ARKit's shapes."""
