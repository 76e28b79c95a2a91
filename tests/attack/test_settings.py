"""Settings and results are the same for all methods, and mean the same."""

import signal

import pytest
import torch
from networks import images_of, seeded
from torch import nn

from intriguing.attack import find_adversarial
from intriguing.errors import InputError
from intriguing.models.perceptron import perceptron

METHODS = ("lbfgs", "scipy", "minimal")


class Counting(nn.Module):
    """A network that counts the rows it evaluates, also in a buffer."""

    def __init__(self, inner: nn.Module, interrupts_after: int = 10**9) -> None:
        super().__init__()
        self.inner, self.rows, self.calls = inner, 0, 0
        self.interrupts_after = interrupts_after
        self.register_buffer("seen", torch.zeros(()))

    def forward(self, x):
        self.rows, self.calls = self.rows + len(x), self.calls + 1
        self.seen += len(x)
        if self.calls == self.interrupts_after:
            signal.raise_signal(signal.SIGINT)
        return self.inner(x)


@pytest.fixture
def model():
    network = perceptron([64, 16, 4], [True, False]).eval()
    for weights in network.parameters():
        weights.data = 1.2 * torch.randn(weights.shape, generator=seeded(3))
    return network


@pytest.fixture
def images():
    """Images as read from a file of 8 bits a pixel."""
    return (images_of(6, 64, seed=1) * 255).round() / 255


@pytest.fixture
def targets(model, images):
    with torch.no_grad():
        return (model(images).argmax(1) + 1) % 4


@pytest.mark.parametrize("method", METHODS)
def test_every_method_fills_every_field(method, model, images, targets):
    found = find_adversarial(Counting(model), images, targets, method=method)
    assert found.reached.all() and found.converged.all()
    assert (found.evaluations > 1).all() and (found.gradients > 1).all()
    # A minimum is a tie; the paper's objective may jump across the boundary.
    assert (found.tied <= 3).all() and (method != "minimal" or found.tied.min() >= 1)
    rounded = (found.images * 255).round() / 255
    with torch.no_grad():
        survive = model(rounded).argmax(1) == targets
    assert torch.equal(found.survives_rounding, survive)
    assert all(len(field) == 6 and not field.requires_grad for field in found)


def test_evaluations_are_forward_passes(model, images, targets):
    counting = Counting(model)
    one = [images[:1], targets[:1]]
    for method, each in (("lbfgs", one), ("scipy", [images, targets])):
        counting.rows, count = 0, len(each[0])
        found = find_adversarial(counting, *each, method=method)
        # Can it be attacked, and clean and found images, as they are and rounded.
        checks = 1 + 4 + 1 + 4 * count
        checks += count  # the range of clean logits
        starts = 4 if method == "lbfgs" else 0
        assert counting.rows <= found.evaluations.sum() + checks + starts
        assert counting.rows >= found.evaluations.sum() + checks
        assert torch.equal(found.evaluations, found.gradients)
        assert counting.seen == 0


@pytest.mark.parametrize("method", ["lbfgs", "minimal"])
def test_rounded_images_stay_adversarial_and_hardly_longer(
    method, model, images, targets
):
    how = {"targets": targets, "method": method}
    free, rounded = (
        find_adversarial(Counting(model), images, round_to=bits, **how)
        for bits in (None, 8)
    )
    assert rounded.reached.all() and rounded.survives_rounding.all()
    assert not free.survives_rounding.all()
    stored = (rounded.images * 255).round().to(torch.uint8)
    assert torch.equal(stored.float() / 255, rounded.images)
    ratio = rounded.distortion / free.distortion
    assert ratio.mean() < 1.02 and ratio.max() < 1.1


SETTINGS = {
    ("lbfgs", "starts"): (1, 4),
    ("lbfgs", "tolerance"): (0.3, 1e-3),
    ("lbfgs", "iterations"): (3, 200),
    ("scipy", "iterations"): (2, 20),
    ("minimal", "tolerance"): (0.3, 1e-3),
    ("minimal", "iterations"): (2, 50),
    ("minimal", "starts"): (1, 8),
}


@pytest.mark.parametrize(("method", "name"), SETTINGS)
def test_settings_have_one_name_for_all_methods(method, name, model, images, targets):
    pool = {"start_images": images_of(50, 64, seed=9)} if method == "minimal" else {}
    cheap, dear = (
        find_adversarial(
            Counting(model), images, targets, method=method, **pool, **{name: value}
        )
        for value in SETTINGS[method, name]
    )
    assert dear.evaluations.sum() > cheap.evaluations.sum()
    assert dear.reached.all()


BAD = {
    "scipy starts": (
        {"method": "scipy", "starts": 2},
        "starts: no setting of method 'scipy'",
    ),
    "lbfgs images": ({"start_images": torch.rand(2, 64)}, "start_images: no setting"),
    "iterations": ({"method": "minimal", "iterations": 0}, "iterations = 0: give a"),
    "no pool": ({"method": "minimal", "starts": 8}, "needs `start_images`"),
    "pool": (
        {"method": "minimal", "starts": 2, "start_images": torch.rand(3, 9)},
        "start_images: shape (9,) of an image; give (64,)",
    ),
    "known": ({"method": "minimal", "known": torch.rand(6, 9)}, "known: shape (9,)"),
    "too many": ({"starts": 9}, "starts = 9: `lbfgs` has 4"),
    "sequence": ({"starts": (1.0, 0.1)}, "starts = (1.0, 0.1): give a whole number"),
    "tolerance": ({"tolerance": 0}, "tolerance = 0: give a number above 0"),
    "seconds": ({"seconds": "60"}, "seconds = '60': give a number above 0"),
    "bits": ({"round_to": 32}, "round_to = 32: give at most 16"),
    "old name": ({"accuracy": 1}, "accuracy: no setting of method 'lbfgs'"),
}


@pytest.mark.parametrize(("settings", "said"), BAD.values(), ids=BAD)
def test_settings_that_a_method_has_not_are_refused_by_name(
    settings, said, model, images, targets
):
    with pytest.raises(InputError) as error:
        find_adversarial(model, images, targets, **settings)
    assert said in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize("method", METHODS)
def test_when_the_time_is_over_what_was_found_comes_back(
    method, model, images, targets
):
    found = find_adversarial(
        Counting(model), images, targets, method=method, seconds=1e-6
    )
    assert torch.equal(found.images, images) and not found.converged.any()
    assert not found.reached.any()


@pytest.fixture
def ctrl_c():
    """Set Python's own handler, which a shell in the background would not."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("method", METHODS)
def test_an_interrupt_returns_what_was_found(method, model, images, targets, ctrl_c):
    whole = find_adversarial(Counting(model), images, targets, method=method)
    calls = {"lbfgs": 40, "scipy": 300, "minimal": 20}[method]
    slow = Counting(model, interrupts_after=calls)
    with pytest.warns(UserWarning, match="what was found is returned"):
        found = find_adversarial(slow, images, targets, method=method)
    assert found.evaluations.sum() < whole.evaluations.sum()
    assert found.reached.any() and not found.converged.all()
    with torch.no_grad():
        assert torch.equal(model(found.images).argmax(1) == targets, found.reached)
    assert torch.equal(found.images[~found.reached], images[~found.reached])
    assert slow.seen == 0
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.parametrize("calls", [1, 5, 7, 8])
def test_an_interrupt_before_the_first_success_returns_unchanged_images(
    calls, model, images, targets, ctrl_c
):
    """In the checks of the model, with all images, and in the first step."""
    slow = Counting(model, interrupts_after=calls)
    with pytest.warns(UserWarning, match="with 0 of 6 images adversarial") as said:
        found = find_adversarial(slow, images, targets)
    assert torch.equal(found.images, images) and len(said) == 1
    assert not found.reached.any() and not found.converged.any()
    assert torch.equal(found.prediction, model(images).argmax(1))
    assert slow.seen == 0
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
