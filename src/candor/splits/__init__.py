"""Stage `splits`: who is trained on, who selects, who is tested; never the same speaker twice."""
