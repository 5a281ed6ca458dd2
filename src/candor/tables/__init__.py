"""The data contracts: one class for each file that one stage hands to another.

One module per stage, so that a change of one stage's contract concerns that stage and those after it.
"""
