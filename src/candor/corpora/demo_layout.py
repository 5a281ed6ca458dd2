"""What the demo corpus's reader and its synthesiser must agree on, and nothing heavier than that."""

EMOTION_CODES = {"01": "neutral", "03": "happiness", "04": "sadness", "05": "anger"}
"""The emotion that a recording's name tells, by its code there."""

SPEAKERS_FILE = "speakers.csv"
"""Says each speaker's gender and group; it lies beside the folders of the actors."""
