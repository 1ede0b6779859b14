"""From a camera frame to the driver's face, gaze, expression and shoulders."""
