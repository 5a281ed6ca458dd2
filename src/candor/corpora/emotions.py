"""The label code common to all corpora."""

EMOTIONS = (
    "neutral",
    "anger",
    "sadness",
    "happiness",
    "fear",
    "disgust",
    "surprise",
    "calm",
    "excitement",
    "boredom",
    "frustration",
    "contempt",
    "other",
)
"""The common label code, in the order in which classes are listed everywhere."""
