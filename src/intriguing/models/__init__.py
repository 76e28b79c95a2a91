"""Networks that map pixels in [0, 1] to logits: architectures, weights, files.

In reading order: `perceptron` and `alexnet` define the networks, `architecture` builds
a network from a description, `files` stores and loads it, `pretrained` fills in
published weights, `evaluation` computes logits and counts errors, `checks` says what
is wrong with a model of a caller.
"""
