"""Stage `audio`: every utterance as 16 kHz mono 16-bit wav, kept in the store."""
