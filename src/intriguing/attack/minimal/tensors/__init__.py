"""The work on pixels in torch, for all images at once, on any device."""
