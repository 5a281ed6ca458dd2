"""The store: what grows with the corpora, named by its content, kept once, verified whenever it is read.

`objects` holds the members, `ledger` remembers which member was made of what, `upkeep` verifies and cleans.
"""
