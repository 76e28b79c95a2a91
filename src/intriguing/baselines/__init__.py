"""Other libraries' attacks beside ours, on the same images in one process.

No other part of the project imports this. The libraries are in the extra
``crosscheck``; `fromfoolbox`, `fromadvlib` and `frombotorch` import them.
"""

REFERENCE = "scipy"
"""The attack whose speed is 1 in the table."""
MINIMAL = "minimal-8"
"""The attack whose lengths the others' are compared with."""
OURS = "minimal"
"""Prefix of the attacks that are no baselines."""
