"""What an eavesdropper reads off the updates of a federation."""
