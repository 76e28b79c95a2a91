"""Confidence intervals, and verdicts on the numbers and claims of the paper."""
