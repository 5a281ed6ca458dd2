"""Who holds what: ways to divide the examples of a fold among clients."""
