"""Intervals and tests that respect that utterances of one speaker are alike."""
