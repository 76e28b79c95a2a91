"""Names of the rows of the tables that are no network; kept apart from torch."""

CLEAN = "clean"
"""Unperturbed images."""
MATCHED = "matched:"
"""Prefix of Gaussian noise as long as each of a network's adversarial images."""
