"""How trained models behave on speech that is disturbed."""
