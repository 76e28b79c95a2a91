"""Softmax regression without biases: a convex problem, solved by L-BFGS."""

import numpy as np
import torch
from jaxtyping import Float, Int
from scipy import sparse
from scipy.linalg import cholesky, solve_triangular
from scipy.optimize import minimize
from scipy.special import log_softmax
from torch import Tensor, nn

from intriguing.models.perceptron import linear_layers, perceptron

PIXEL_TOLERANCE = 5e-5
CODE_TOLERANCE = 3e-4
"""Largest entry of the scaled gradient at which L-BFGS stops, on pixels and codes."""

TYPICAL_VARIANCE = 0.03
"""Of a predicted probability over the training images; it affects the speed only."""
MOMENT_IMAGES = 6000
"""Images that the second moment of the features is estimated from, at least."""


def fit_softmax(
    features: np.ndarray | sparse.csr_matrix,
    labels: Int[Tensor, " n"],
    decay: float,
    tolerance: float,
) -> Float[Tensor, "classes d"]:
    """Return the weights of softmax regression with weight decay.

    The minimum is unique, so the result depends on no seed.

    Args:
        features: Float64 pixels or codes, (n, d), dense or sparse.
        labels: Class of each row.
        decay: The paper's lambda.
        tolerance: Largest entry of the scaled gradient at which L-BFGS stops.
    """
    count, width = features.shape
    classes = int(labels.max()) + 1
    one_hot = np.eye(classes)[labels.numpy()]
    scaling = inverse_root(features, decay)

    def loss_and_gradient(flat: np.ndarray) -> tuple[float, np.ndarray]:
        weights = flat.reshape(classes, width) @ scaling
        log_probabilities = log_softmax(features @ weights.T, axis=1)
        loss = -(one_hot * log_probabilities).sum() / count
        gradient = (features.T @ (np.exp(log_probabilities) - one_hot)).T / count
        loss += decay / 2 * (weights**2).sum()
        return loss, ((gradient + decay * weights) @ scaling.T).ravel()

    result = minimize(
        loss_and_gradient,
        np.zeros(classes * width),
        jac=True,
        method="L-BFGS-B",
        options={"gtol": tolerance, "ftol": 0.0, "maxiter": 1000, "maxfun": 2000},
    )
    return torch.from_numpy(result.x.reshape(classes, width) @ scaling).float()


def inverse_root(
    features: np.ndarray | sparse.csr_matrix, decay: float
) -> Float[np.ndarray, "d d"]:
    """Return a preconditioner R: ``R H R^T = 1`` for an estimate H of the Hessian.

    In the variables ``V = W R^-1`` L-BFGS needs a fifth of the iterations. H is the
    Hessian for the weights of one class: the second moment of the features times a
    typical variance of a predicted probability, plus the decay.
    """
    width = features.shape[1]
    sample = features[:: max(features.shape[0] // MOMENT_IMAGES, 1)]
    moment = sample.T @ sample / sample.shape[0]
    moment = moment.toarray() if sparse.issparse(moment) else moment
    root = cholesky(TYPICAL_VARIANCE * moment + decay * np.eye(width), lower=True)
    return solve_triangular(root, np.eye(width), lower=True)


def fit_linear(
    pixels: Float[Tensor, "n d"], labels: Int[Tensor, " n"], decay: float
) -> nn.Sequential:
    """Return the paper's FC10(decay): softmax regression on the pixels."""
    # Most pixels are 0: the sparse product is twice as fast as the dense one.
    rows = sparse.csr_matrix(pixels.double().numpy())
    weights = fit_softmax(rows, labels, decay, PIXEL_TOLERANCE)
    network = perceptron([pixels.shape[1], weights.shape[0]], [False])
    linear_layers(network)[0].weight.data.copy_(weights)
    return network.eval().requires_grad_(False)
