"""Stage `corpora`: raw corpus folders become manifests, rejects and counts."""
