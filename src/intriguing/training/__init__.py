"""Training of networks: softmax regression, perceptrons, convolutional networks."""
