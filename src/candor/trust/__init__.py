"""One profile per backbone and recipe: the headline figures of all audits, side by side."""
