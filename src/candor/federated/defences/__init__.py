"""What is done to updates before anybody sees them: noise with a guarantee, noise without one, and sending less."""
