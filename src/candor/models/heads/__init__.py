"""What is trained on top of a backbone: from the hidden states of an utterance to its classes or scores.

The frames of a batch lie one utterance after the other in one tensor ("packed"), without padding.
"""
