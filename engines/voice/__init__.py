"""Trains what hears mouth shapes in a voice: data, augmentation, network, training, export, judgement."""
