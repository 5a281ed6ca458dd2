"""What can be wrong with a federation."""

from __future__ import annotations

from candor.runtime import Explained


class FederatedError(Explained, ValueError):
    """A federation cannot be run, or came to an end that is no result."""
