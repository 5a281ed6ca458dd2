"""Stage `performance`: how well emotion is recognised, with intervals."""
