"""What `tools/virtual_camera_check.py` feeds, reads and judges."""
