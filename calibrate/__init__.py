"""Calibration: avatar packs from portraits, driver profiles from people."""
