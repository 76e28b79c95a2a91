"""Names of attacks that the comparison treats apart."""

REFERENCE = "scipy"
"""Whose speed the others' are multiples of."""
MINIMAL = "minimal-8"
"""Whose lengths the others' are held against: published ones are of this kind."""
OURS = "minimal"
"""How the names begin that are not among the peers."""
