"""Whom models serve worse, by how much, and whether that is more than chance shows."""
