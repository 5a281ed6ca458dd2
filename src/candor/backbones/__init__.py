"""Stage `backbones`: from waveforms to hidden states, one module per family."""
