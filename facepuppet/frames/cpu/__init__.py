"""Frames on the CPU: render, compose, mark."""
