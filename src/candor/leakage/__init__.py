"""What whoever sees clients' updates reads off them: attributes of people, and what they said."""
