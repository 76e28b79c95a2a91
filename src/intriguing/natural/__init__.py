"""Natural images: photographs and CIFAR-10 (Figure 5)."""
