"""Errors whose message is written for the person who runs the workflow."""


class InputError(ValueError):
    """Something the user gave is wrong; the message names it and the remedy."""
