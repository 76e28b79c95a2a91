"""Figures of arrays and tables, one in each module; `style` holds what they share."""
