"""Networks from pixels in [0, 1] to logits: their layers, weights and files."""
