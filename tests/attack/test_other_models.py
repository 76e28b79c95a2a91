"""Models and inputs of other people's: right, or refused in one line."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

from intriguing import find_adversarial
from intriguing.attack.minimal.network import stack_of
from intriguing.errors import InputError

METHODS = ("lbfgs", "minimal")
ALL = (*METHODS, "scipy")
QUICK = {"lbfgs": {"starts": 1}, "minimal": {}}


def perceptron(activation: nn.Module) -> nn.Sequential:
    torch.manual_seed(1)
    layers = nn.Flatten(), nn.Linear(64, 16), activation, nn.Linear(16, 4)
    return nn.Sequential(*layers).eval()


class Opaque(nn.Module):
    """The same function, of which nothing can be read off."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x):
        return self.inner(x)


class Inverted(nn.Sequential):
    def forward(self, x):
        return super().forward((1 - x) * 2)


class Around(Opaque):
    """What a function makes of the network and its input."""

    def __init__(self, inner: nn.Module, function) -> None:
        super().__init__(inner)
        self.function = function

    def forward(self, x):
        return self.function(self.inner, x)


def in_bfloat16(inner, x):
    with torch.autocast("cpu", torch.bfloat16):
        return inner(x)


def normalised(inner, x):
    return inner(x.sub_(0.5).div_(0.5))


def noisy(inner, x):
    torch.rand(1)
    return inner(x)


@pytest.fixture
def images():
    return torch.rand(8, 1, 8, 8, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def model():
    return perceptron(nn.ReLU())


def next_classes(model, images):
    with torch.no_grad():
        return (model(images.clone()).argmax(1) + 1) % 4


def hooked():
    net = perceptron(nn.ReLU())
    net[1].register_forward_hook(lambda layer, given, out: 1 - out)
    return net


def with_own_forward():
    net = perceptron(nn.ReLU())
    inner = net.forward
    net.forward = lambda x: inner(1 - x)
    return net


def with_spectral_norm():
    net = perceptron(nn.ReLU())
    nn.utils.parametrizations.spectral_norm(net[1])
    return net.eval()


def used_twice():
    torch.manual_seed(2)
    inner = nn.Linear(16, 16)
    layers = nn.Linear(64, 16), inner, nn.Sigmoid(), inner, nn.Linear(16, 4)
    with torch.no_grad():
        for layer in (layers[0], inner, layers[4]):
            layer.weight.mul_(4)
    return nn.Sequential(nn.Flatten(), *layers).eval()


ODD = {
    "subclass": lambda: Inverted(*perceptron(nn.ReLU())).eval(),
    "hook": hooked,
    "own forward": with_own_forward,
    "spectral norm": with_spectral_norm,
    "used twice": used_twice,
    "in place": lambda: perceptron(nn.ReLU(inplace=True)),
    "leaky in place": lambda: perceptron(nn.LeakyReLU(0.1, inplace=True)),
}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
def test_the_model_that_is_attacked_is_the_one_that_is_called(odd, method, images):
    net = odd()
    targets = next_classes(net, images)
    one, other = (
        find_adversarial(n, images, targets, method=method, **QUICK[method])
        for n in (net, Opaque(net))
    )
    with torch.no_grad():
        assert torch.equal(net(one.images.clone()).argmax(1), targets)
    assert one.reached.all() and other.reached.all()
    if method == "minimal" and stack_of(net) is not None:
        # A stack has more starts, and this network several minima.
        assert (one.distortion <= 1.5 * other.distortion).all()
    else:
        torch.testing.assert_close(one.distortion, other.distortion)


@pytest.mark.parametrize("activation", [nn.ReLU(True), nn.LeakyReLU(0.1, True)])
def test_activations_in_place_work_in_double_precision(activation, images):
    net = perceptron(activation).double()
    labels = next_classes(net, images.double()) - 1
    found = find_adversarial(net, images.double(), labels=labels % 4, method="minimal")
    assert found.reached.all() and found.images.dtype == torch.float64


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("function", [in_bfloat16, normalised, noisy])
def test_models_in_low_precision_or_that_change_their_input(
    function, method, model, images
):
    net, before = Around(model, function).eval(), images.clone()
    targets = next_classes(net, images)
    torch.manual_seed(5)
    state = torch.get_rng_state()
    found = find_adversarial(net, images, targets, method=method, **QUICK[method])
    assert found.reached.float().mean() >= (0.5 if function is in_bfloat16 else 1)
    assert torch.equal(images, before)
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("method", METHODS)
def test_half_precision_models(method, model, images):
    net, halves = model.bfloat16(), images.bfloat16()
    with torch.no_grad():
        targets = (net(halves).argmax(1) + 1) % 4
    found = find_adversarial(net, halves, targets, method=method, **QUICK[method])
    assert found.images.dtype == torch.bfloat16
    with torch.no_grad():
        again = net(found.images).argmax(1)
    assert torch.equal(again == targets, found.reached) and found.reached.any()
    shift = (found.images.float() - halves.float()).flatten(1)
    torch.testing.assert_close(found.distortion, shift.square().mean(1).sqrt())
    assert torch.equal(found.images[~found.reached], halves[~found.reached])


@pytest.mark.parametrize("method", METHODS)
def test_a_model_in_training_mode_is_attacked_as_evaluated_and_put_back(method):
    torch.manual_seed(0)
    layers = nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Dropout()
    net = nn.Sequential(*layers, nn.Linear(144, 4)).train()
    net[1].eval()
    images = torch.rand(8, 1, 8, 8)
    before = {key: value.clone() for key, value in net.state_dict().items()}
    targets = next_classes(net.eval(), images)
    net.train(), net[1].eval()
    found = find_adversarial(net, images, targets, method=method, **QUICK[method])
    assert net.training and net[3].training and not net[1].training
    assert all(torch.equal(before[k], v) for k, v in net.state_dict().items())
    assert all(p.grad is None and p.requires_grad for p in net.parameters())
    with torch.no_grad():
        assert torch.equal(net.eval()(found.images).argmax(1), targets)


def test_the_model_is_put_back_after_an_error(model, images):
    net = nn.Sequential(nn.Flatten(), nn.Linear(3, 4), nn.Dropout()).train()
    with pytest.raises(InputError, match="images: the model does not take"):
        find_adversarial(net, images, 1)
    assert net.training and net[2].training


@pytest.mark.parametrize("method", METHODS)
def test_what_torch_users_hand_over_works(method, model, images):
    targets = next_classes(model, images)
    expected = find_adversarial(model, images, targets, method=method, **QUICK[method])
    with torch.inference_mode():
        inferred = images.clone()
    strided = torch.rand(8, 1, 8, 16)
    strided[..., ::2] = images
    kinds = (
        (images.clone().requires_grad_(), targets),
        (images.numpy(), targets.tolist()),
        (images.numpy().astype(">f4"), targets.numpy()),
        (inferred, targets.to(torch.uint8)),
        (strided[..., ::2], targets.int()),
        (images.to(memory_format=torch.channels_last), list(targets)),
        (images.double(), np.asarray(targets, dtype=np.uint16)),
        (list(images), tuple(targets.tolist())),
        (images.tolist(), targets.to(torch.int16)),
    )
    for pixels, classes in kinds:
        found = find_adversarial(model, pixels, classes, method=method, **QUICK[method])
        assert torch.equal(found.images.float(), expected.images)
        assert not found.images.requires_grad
        if isinstance(pixels, torch.Tensor):
            assert found.images.dtype == pixels.dtype
    with torch.inference_mode():
        found = find_adversarial(model, images, targets, method=method, **QUICK[method])
    assert torch.equal(found.images, expected.images)


def test_one_integer_stands_for_all_images(model, images):
    labels = next_classes(model, images)
    some = images[labels != 3]
    assert len(some)
    found = find_adversarial(model, some, 2, method="minimal")
    assert (found.prediction == 2).all()


def refused(*given, **settings):
    """Return the one line in which arguments are refused."""
    with pytest.raises(InputError) as error:
        find_adversarial(*given, **settings)
    assert "\n" not in str(error.value)
    return str(error.value)


BAD = {
    "too few targets": (dict(targets=[1, 2]), "targets: shape (2,) for 8 images"),
    "too many targets": (dict(targets=[1] * 16), "targets: shape (16,) for 8 images"),
    "float targets": (dict(targets=torch.ones(8)), "targets: torch.float32"),
    "ragged targets": (dict(targets=[[1], [1, 2]]), "targets: give integers"),
    "no such class": (dict(targets=[4] * 8), "targets: classes must lie in 0..3"),
    "negative class": (dict(labels=[-1] * 8), "labels: classes must lie in 0..3"),
    "too few labels": (dict(labels=[1]), "labels: shape (1,) for 8 images"),
    "neither": ({}, "an untargeted attack needs `labels`, a targeted one `targets`"),
    "unknown method": (dict(targets=1, method="fgsm"), "method 'fgsm' is unknown"),
    "unknown setting": (dict(targets=1, iteration=3), "iteration: no setting"),
    "unknown norm": (dict(targets=1, norm="l1"), "norm 'l1' is unknown; known: ["),
    "names": (dict(targets=["cat"] * 8), "targets: give integers"),
    "short setting": (dict(targets=1, weights=[1.0]), "weights: shape (1,) for 8"),
}


@pytest.mark.parametrize(("settings", "said"), BAD.values(), ids=BAD)
def test_bad_arguments_are_refused_in_one_line(settings, said, model, images):
    assert said in refused(model, images, **settings)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda x: (x * 255).byte(), "images: torch.uint8 given"),
        (lambda x: x.to(torch.float8_e5m2), "images: torch.float8_e5m2 given"),
        (lambda x: x * 2, "pixels outside [0, 1]"),
        (lambda x: x.masked_fill(x > 0.9, torch.nan), "NaN or pixels outside"),
        (lambda x: x[:0], "there are no images to attack"),
        (lambda x: "digits", "images: str given"),
        (lambda x: x.to("meta"), "images: a torch.strided tensor on meta given"),
        (lambda x: x.to_sparse(), "images: a torch.sparse_coo tensor on cpu given"),
        (lambda x: [x[0], x[1, :, :4]], "images: torch makes no tensor of them"),
    ],
)
def test_bad_images_are_refused_in_one_line(change, said, model, images):
    assert said in refused(model, change(images), 1)


def with_last(model, layer):
    return nn.Sequential(*model, layer)


def with_batch_statistics(model):
    return nn.Sequential(nn.BatchNorm2d(1, track_running_stats=False), model)


def asserting(inner, x):
    assert x.shape[-1] == 9, "wrong size"
    return inner(x)


@torch.no_grad()
def without_gradient(inner, x):
    return inner(x)


UNFIT = {
    without_gradient: "model: its logits have no gradient",
    lambda inner, x: {"logits": inner(x)}: "it returns a dict, not logits; wrap it",
    lambda inner, x: inner(nn.functional.dropout(x, 0.1)): "change from call to call",
    lambda inner, x: inner(x) * 1j: "logits are torch.complex64",
    lambda inner, x: inner(x).squeeze(): "logits of shape (4,) for 1",
    asserting: "images of shape (1, 1, 8, 8) (wrong size)",
}
"""What is said of models that do this around a network."""


def frozen(model):
    return torch.jit.freeze(torch.jit.script(model))


@pytest.mark.filterwarnings("ignore:.*torch.jit:FutureWarning")
@pytest.mark.parametrize(
    ("wrap", "said"),
    [
        *((partial(Around, function=one), said) for one, said in UNFIT.items()),
        (with_batch_statistics, "depend on the other images of the batch"),
        (lambda model: model.to("meta"), "weights are on the meta device"),
        (lambda model: with_last(model, nn.LazyLinear(4)), "call it once on a batch"),
        (lambda model: with_last(model, nn.Linear(4, 1)), "one logit; an attack needs"),
        (lambda model: with_last(model, nn.Softmax(1)), "without its softmax"),
        (frozen, "it is frozen TorchScript; give"),
        (lambda model: model.forward, "model: method given"),
    ],
)
def test_models_that_cannot_be_attacked_are_refused_in_one_line(
    wrap, said, model, images
):
    assert said in refused(wrap(model), images, 1)


def test_autocast_around_the_call_is_refused(model, images):
    with (
        torch.autocast("cpu", torch.bfloat16),
        pytest.raises(InputError, match=r"autocast is on.*in the model's forward"),
    ):
        find_adversarial(model, images, 1)


class Caching(Opaque):
    def __init__(self, inner):
        super().__init__(inner)
        self.register_buffer("cache", None)

    def forward(self, x):
        if self.cache is None:
            self.cache = torch.zeros(8)
            self.register_buffer("position", torch.zeros(8))
        return self.inner(x + self.cache + self.position)


def test_buffers_that_the_first_call_makes_are_removed(model, images):
    net = Caching(model)
    find_adversarial(net, images, labels=next_classes(model, images), method="minimal")
    assert net.cache is None and not hasattr(net, "position")


class Scaled(Opaque):
    factor = 1.0

    def forward(self, x):
        return self.factor * self.inner(x)


@pytest.mark.parametrize(("method", "near"), [("lbfgs", 0.01), ("scipy", 0.06)])
def test_perturbations_are_no_longer_where_all_logits_are_small(
    method, near, model, images
):
    net, some = Scaled(model), images[:2]
    targets = next_classes(model, some)
    lengths = []
    for net.factor in (0.03, 0.003):
        found = find_adversarial(net, some, targets, method=method)
        assert found.reached.all()
        lengths.append(found.distortion)
    torch.testing.assert_close(*lengths, rtol=near, atol=0)
    net.factor = 1e-5
    with pytest.raises(InputError, match="multiply them by a constant, or use"):
        find_adversarial(net, some, targets, method=method)


@pytest.mark.parametrize("method", METHODS)
def test_a_model_without_slope_is_not_called_robust(method, model, images):
    targets = next_classes(model, images)
    rounding = Around(model, lambda inner, x: inner((255 * x).round() / 255))
    with pytest.warns(UserWarning, match=r"8 of 8 images, .* is 0 or"):
        found = find_adversarial(rounding, images, targets, method=method)
    assert not found.reached.any()


def test_settings_that_are_none_are_the_defaults(model, images):
    targets = next_classes(model, images)
    found = find_adversarial(model, images, targets, method="minimal", known=None)
    assert found.reached.all()
    labels = (targets - 1) % 4
    one = find_adversarial(model, found.images[:1], targets[:1], labels=labels[:1])
    assert torch.equal(one.images, found.images[:1])


@pytest.mark.parametrize("some", [slice(0, 8), slice(0, 1)], ids=["all", "single"])
def test_labels_in_the_place_of_targets_are_refused(some, model, images):
    with torch.no_grad():
        labels = model(images).argmax(1)[some]
    for given in ({}, {"labels": labels}):
        with pytest.raises(InputError, match="pass labels="):
            find_adversarial(model, images[some], labels, **given)


@pytest.mark.parametrize("method", ALL)
def test_images_that_are_misclassified_come_back_at_once(method, model, images):
    labels = next_classes(model, images)
    found = find_adversarial(model, images, labels=labels, method=method)
    assert torch.equal(found.images, images) and found.reached.all()
    assert (found.distortion == 0).all() and (found.evaluations == 1).all()


def nearly_on_the_boundary(model, images):
    """Return images whose perturbations are short enough to be trimmed in float64."""
    labels = model(images).argmax(1)
    far = find_adversarial(model, images, labels=labels, method="lbfgs", starts=1)
    return (images + 0.97 * (far.images - images))[far.reached].detach()


def used_often(layer, units):
    torch.manual_seed(2)
    layers = nn.Linear(64, units), layer, nn.ReLU(), nn.Linear(units, units), layer
    return nn.Sequential(nn.Flatten(), *layers, nn.Linear(units, 4)).eval()


@pytest.mark.parametrize("shared", [nn.PReLU(), nn.BatchNorm1d(12), nn.Linear(12, 12)])
def test_a_layer_used_twice_keeps_its_weights(shared, images):
    model = used_often(shared, 12)
    near, before = nearly_on_the_boundary(model, images), shared.weight
    found = find_adversarial(
        model, near, labels=model(near).argmax(1), method="minimal"
    )
    assert found.reached.all() and found.distortion.min() < 0.05 / 8
    assert shared.weight is before and model(near).dtype == torch.float32


def test_threads_may_attack_one_model(images):
    model = perceptron(nn.PReLU())
    near = nearly_on_the_boundary(model, images)
    labels = model(near).argmax(1)

    def lengths(_):
        return find_adversarial(model, near, labels=labels, method="minimal").distortion

    with ThreadPoolExecutor(3) as pool:
        first, *others = pool.map(lengths, range(6))
    assert all(torch.equal(first, other) for other in others)


@pytest.mark.parametrize("method", ALL)
def test_an_image_whose_logits_are_all_equal_is_left(method):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 5, bias=False))
    black = torch.zeros(2, 1, 8, 8)
    assert find_adversarial(model, black, labels=[0, 0], method=method).reached.all()


def test_a_sparse_buffer_is_left_as_it_was(model, images):
    class Graph(Opaque):
        def __init__(self, inner):
            super().__init__(inner)
            self.register_buffer("adjacency", torch.eye(4).to_sparse())

        def forward(self, x):
            logits = torch.sparse.mm(self.adjacency, self.inner(x).T).T
            self.adjacency.mul_(2)
            return logits

    graph = Graph(model)
    labels = model(images).argmax(1)
    with pytest.raises(InputError, match="change from call to call"):
        find_adversarial(graph, images, labels=labels)
    assert torch.equal(graph.adjacency.to_dense(), torch.eye(4))


@pytest.mark.parametrize("scale", [1e-30, 1e20])
def test_logits_of_extreme_size_are_said_to_be(scale, model, images):
    extreme = Around(model, lambda inner, x: inner(x) * scale)
    labels = model(images).argmax(1)
    with pytest.warns(UserWarning, match="logits are of extreme size"):
        find_adversarial(extreme, images, labels=labels, method="minimal")
