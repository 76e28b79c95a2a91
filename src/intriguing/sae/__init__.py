"""Sparse codes of hidden layers, and what perturbations change in them."""
