"""Candor: trustworthy speech emotion recognition, from raw corpora to tables with their uncertainty."""
