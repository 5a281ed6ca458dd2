"""Pretraining on one's own unlabelled audio: APC, a GRU that foretells log-mel frames, as s3prl reads it."""
