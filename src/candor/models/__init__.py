"""Stage `models`: trained heads per fold and seed, and what they predict for the test speakers."""
