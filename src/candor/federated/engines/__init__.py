"""How the clients of a round are run: one after the other, or many at once where that comes to the same."""
