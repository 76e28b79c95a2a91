"""The error for bad input."""


class InputError(ValueError):
    """Bad input; the message names it and the remedy."""
