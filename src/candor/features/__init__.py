"""Stage `features`: hidden states of every utterance, extracted once and kept in the store."""
