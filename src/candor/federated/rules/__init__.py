"""The algorithms: what a client keeps, how it learns, and how what clients send becomes the next model."""
