"""Units and directions of a layer (section 3)."""
