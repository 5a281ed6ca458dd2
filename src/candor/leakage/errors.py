"""What goes wrong in the stage."""

from candor.runtime import Explained


class LeakageError(Explained, RuntimeError):
    """Updates cannot be attacked; the message says why."""
