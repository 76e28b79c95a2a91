"""Networks trained on pools of adversarial images (section 4.2)."""
