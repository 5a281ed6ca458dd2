"""How easily a trained model is fooled by a perturbation that nobody hears, over its ratio to the speech."""
