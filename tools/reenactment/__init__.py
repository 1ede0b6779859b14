"""Measures how well portraits are reenacted; `tools/evaluate_reenactment.py` is its command line."""
