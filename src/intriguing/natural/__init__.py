"""Adversarial natural images (Figure 5): photographs and CIFAR-10.

`targets` chooses images and target classes, `images` transforms adversarial images and
prepares them for display, `table` summarises predictions.
"""
