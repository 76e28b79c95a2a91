"""Intervals, and verdicts on what the paper prints."""
