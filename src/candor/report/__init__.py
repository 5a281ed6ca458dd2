"""What a reader wants to know first, from the tables of all stages."""
