"""Networks of the reenactment stage: manifest, weights, training and export."""
