"""Who reads attributes off updates: a regression and a network that see them, and two who are told less."""
