"""What the stage `report` makes."""

ANSWERS = "report/{dataset}/summary.html"
"""The first page of the report on a dataset: how well, for whom not, how easily fooled; a fragment of HTML."""
