"""Portraits: loading, judging, analysing, caching, and the .puppet pack."""
