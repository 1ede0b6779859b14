"""Networks of the reenactment stage: manifest and shipped weights, training data, training, export."""
