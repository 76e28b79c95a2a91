"""Names of table rows that are not networks; free of imports, so of torch."""

LAYER = ["network", "trained", "layer"]
"""What identifies a layer, as `layer_row` takes it."""

CLEAN = "clean"
"""Unperturbed images."""
MATCHED = "matched:"
"""Prefix: Gaussian noise with the distortion of each of a network's images."""

AMPLIFIED = "amplified:"
"""Prefix: a network's adversarial images, all amplified to one distortion."""
AMPLIFIED_CLIPPED = "amplified-clipped:"
"""Prefix: amplified images, clipped to [0, 1]."""
TOGETHER = "amplified-together:"
"""Prefix: images amplified by one common factor, to the same mean distortion."""
LITERAL = "literal:"
"""Prefix: images amplified by the formula as the paper prints it."""
TIMES = "times-1.4:"
"""Prefix: images with perturbations 40 % longer, as the paper's text says."""
FACTOR = "times-"
"""Prefix: a factor by which perturbations are multiplied."""
MATCHED_LENGTH = "matched-"
"""Prefix: a distortion to which all perturbations are scaled."""


def layer_row(network: str, trained: bool, layer: int) -> str:
    """Return the name of a layer's row."""
    return f"{network}:{layer}{'' if trained else ':untrained'}"
