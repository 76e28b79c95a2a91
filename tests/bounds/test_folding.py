"""Networks with normalisations and layers that keep the values, as matrices."""

import numpy as np
import pytest
import torch
from bounds.small import small_network
from networks import images_of, seeded
from torch import nn
from torchvision.transforms import Normalize, v2

from intriguing.bounds import certify, lipschitz, verify
from intriguing.bounds.network import fully_connected, logits_of
from intriguing.errors import InputError
from intriguing.models.architecture import Standardise

MEAN, DEVIATION = [0.4, 0.1, 0.7], [0.2, 0.5, 0.3]
PARTS = small_network([12, 5, 4, 3], seed=1).double()
FLAT, FIRST, ACTIVATION, SECOND, *LAST = PARTS
IMAGES = images_of(6, 3, 2, 2).double()


def trained(layer):
    """Return a batch normalisation with statistics and weights, in evaluation mode."""
    generator = seeded(3)
    for values in (layer.running_mean, layer.weight, layer.bias):
        values.data.normal_(generator=generator)
    layer.running_var.uniform_(0.5, 2, generator=generator)
    return layer.double().eval()


def batch_norm(features):
    return trained(nn.BatchNorm1d(features))


REST = (ACTIVATION, SECOND, *LAST)
MODELS = {
    "flat": nn.Sequential(FIRST, *REST),
    "nested": nn.Sequential(nn.Flatten(1), nn.Sequential(FIRST, nn.Sequential(*REST))),
    "neutral": nn.Sequential(
        nn.Identity(), FLAT, nn.Dropout(0.3).eval(), FIRST, *REST, nn.Identity()
    ),
    "Normalize": nn.Sequential(Normalize(MEAN, DEVIATION), *PARTS),
    "Normalize v2": nn.Sequential(v2.Normalize(MEAN, DEVIATION[:1]), *PARTS),
    "Normalize grey": nn.Sequential(Normalize(MEAN[:1], DEVIATION[:1]), *PARTS),
    "Standardise": nn.Sequential(Standardise(MEAN, DEVIATION).double(), *PARTS),
    "BatchNorm2d": nn.Sequential(trained(nn.BatchNorm2d(3)), *PARTS),
    "BatchNorm1d first": nn.Sequential(FLAT, batch_norm(12), FIRST, *REST),
    "BatchNorm1d inside": nn.Sequential(FLAT, FIRST, batch_norm(5), *REST),
    "BatchNorm1d after": nn.Sequential(
        FLAT, FIRST, ACTIVATION, batch_norm(5), SECOND, *LAST
    ),
    "all": nn.Sequential(
        Normalize(MEAN, DEVIATION),
        nn.Sequential(FLAT, batch_norm(12), FIRST, batch_norm(5)),
        *(ACTIVATION, batch_norm(5), SECOND, *LAST, batch_norm(3)),
    ),
    "bare": FIRST,
}


@pytest.mark.parametrize("name", MODELS)
def test_the_matrices_give_the_logits_of_the_model(name):
    """Far outside the box too, where a wrong factor shows."""
    model, images = MODELS[name], 5 * IMAGES
    given = images.flatten(1) if name in ("flat", "bare") else images
    found = logits_of(fully_connected(model), images.flatten(1).numpy())
    expected = model(given).detach().numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", ["flat", "all"])
def test_folded_networks_are_certified_and_their_certificates_checked(name):
    model = MODELS[name]
    images = IMAGES[:3].flatten(1) if name == "flat" else IMAGES[:3]
    labels = model(images).argmax(1)
    found = certify(model, images, labels, method="crown")
    assert (found.radius > 0).all()
    assert verify(model, images, labels, found.certificate).all()
    changes = (found.counterexample - images).flatten(1)
    attacked = changes.any(1)
    assert (found.radius <= changes.norm(dim=1).numpy())[attacked].all()
    assert (model(found.counterexample).argmax(1) != labels)[attacked].all()


@pytest.fixture
def linear():
    """Return a linear model of normalised pixels, and its matrix for pixels."""
    layer = nn.Linear(12, 2).double()
    layer.weight.data = torch.randn(2, 12, generator=seeded(4)).double()
    model = nn.Sequential(Normalize(MEAN, DEVIATION), nn.Flatten(), layer)
    spread = torch.tensor(DEVIATION).double().repeat_interleave(4)
    return model, (layer.weight / spread).detach()


def test_distances_are_those_of_the_pixels_before_normalisation(linear):
    model, matrix = linear
    logits = model(IMAGES).detach()
    exact = (logits[:, 0] - logits[:, 1]).abs() / (matrix[0] - matrix[1]).norm()
    found = certify(model, IMAGES, logits.argmax(1), method="product")
    assert (found.radius <= exact.numpy()).all()
    np.testing.assert_allclose(found.radius, exact, rtol=0.02)


def test_lipschitz_constants_are_those_before_normalisation(linear):
    model, matrix = linear
    exact = float(torch.linalg.matrix_norm(matrix, 2))
    assert lipschitz(model).upper == pytest.approx(exact)


def hooked():
    layer = nn.Linear(12, 3)
    layer.register_forward_hook(lambda layer, given, out: 2 * out)
    return layer


@pytest.mark.parametrize(
    ("layers", "said"),
    [
        ([FLAT, nn.Dropout(), FIRST], "Dropout is in training mode; call model.eval()"),
        ([FLAT, nn.BatchNorm1d(12), FIRST], "BatchNorm1d is in training mode"),
        (
            [FLAT, nn.BatchNorm1d(12, track_running_stats=False).eval(), FIRST],
            "no running statistics",
        ),
        ([FLAT, batch_norm(7), FIRST], "BatchNorm1d of 7 channels meets 12 values"),
        ([FLAT, nn.LayerNorm(12), FIRST], "LayerNorm has no bounds"),
        ([nn.Conv2d(3, 3, 1), FLAT, FIRST], "Conv2d has no bounds"),
        ([FLAT, nn.Linear(12, 12), FIRST], "2 Linear layers in a row"),
        ([FLAT, FIRST, nn.ReLU()], "0 Linear layers in a row"),
        ([FLAT, hooked()], "Linear has a hook"),
        (
            [FLAT, FIRST, nn.ReLU(), nn.Linear(6, 2)],
            "has 5 outputs, and the next takes 6",
        ),
    ],
)
def test_what_cannot_be_folded_is_refused_by_name(layers, said):
    with pytest.raises(InputError, match=said) as error:
        certify(nn.Sequential(*layers).double(), IMAGES, 0)
    assert "\n" not in str(error.value)


def test_a_layout_in_which_the_matrices_are_wrong_is_refused():
    """Frames before channels: flattened, a channel is not one block of pixels."""
    frames, model = IMAGES.reshape(6, 2, 3, 2, 1), MODELS["Normalize"]
    labels = model(frames).argmax(1)
    certificate = certify(model, IMAGES, model(IMAGES).argmax(1), 1e-3).certificate
    with pytest.raises(InputError, match="its logits differ by"):
        certify(model, frames, labels)
    with pytest.raises(InputError, match="its logits differ by"):
        verify(model, frames, labels, certificate)
