"""Figures from arrays and tables, a module each; `style` holds what they share."""
