"""MediaPipe's networks, behind one door."""
