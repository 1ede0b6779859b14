"""Somebody else's tracker as a driver, by packets from the network."""
