"""The typed config: one module per top-level key."""
