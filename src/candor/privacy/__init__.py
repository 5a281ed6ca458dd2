"""What an attacker reads off hidden states and trained models: who speaks, of which gender, and who was trained on."""
