"""The expression code: a sequence autoencoder of ARKit's weights, its data, training and export."""
