"""Layers of whole networks: their names, Lipschitz constants and products."""

import math
import re

import numpy as np
import pandas as pd
import pytest
import torch
from conftest import ROOT
from networks import seeded
from torch import nn
from torchvision.models.resnet import BasicBlock

from intriguing.errors import InputError
from intriguing.models.alexnet import alexnet_2012, alexnet_mnist
from intriguing.models.architecture import Standardise, build, torchvision_classifier
from intriguing.models.perceptron import perceptron
from intriguing.spectra import conv_norm, linear_norm, lipschitz, network_norms, norm
from intriguing.spectra.graph import network_bound
from intriguing.spectra.lipschitz import average_pool_norm
from intriguing.spectra.summary import summary
from intriguing.spectra.table import (
    COLUMNS,
    PAPER,
    PRODUCTS,
    cells_in_the_papers_columns,
    published_layers,
    spectral_cells,
)
from intriguing.tables.tidy import tidy

KINDS = dict.fromkeys((*COLUMNS, *PAPER), "number")


@pytest.fixture(scope="module")
def alexnet():
    torch.manual_seed(0)
    return build(alexnet_mnist()).eval()


@pytest.fixture(scope="module")
def measured(alexnet):
    return network_norms(alexnet, (1, 28, 28))


@pytest.fixture(scope="module")
def stored(alexnet):
    return summary(alexnet, (1, 28, 28))


def uppers(norms):
    return {place: layer.upper for place, layer in norms.layers.items()}


def assert_within(network, bound, shape):
    """Check that outputs are no further apart than the bound allows."""
    one, other = torch.rand(2, 100, *shape)
    with torch.no_grad():
        apart = (network(one) - network(other)).flatten(1).norm(dim=1)
    assert (apart <= bound * (one - other).flatten(1).norm(dim=1)).all()


def test_layers_are_named_as_in_table_5_and_measured_at_their_own_size(
    measured, alexnet
):
    names = "conv1 pool1 conv2 pool2 conv3 conv4 conv5 pool3 fc1 fc2 fc3"
    assert [layer.name for layer in measured.layers.values()] == names.split()
    sizes = [28, 11, 5, 5, 5]
    convolutions = [layer for layer in alexnet if isinstance(layer, nn.Conv2d)]
    found = [layer for layer in measured.layers.values() if layer.kind == "conv"]
    for module, layer, size in zip(convolutions, found, sizes, strict=True):
        given = module.weight, module.stride, module.padding, module.groups, size
        assert (layer.lower, layer.upper) == conv_norm(*given)
        assert layer.upper < 1.01 * layer.lower


def test_the_product_bounds_the_distance_of_outputs_and_the_papers_lacks_pools(
    alexnet, measured, stored
):
    bound = measured.product.upper
    assert bound == pytest.approx(math.prod(uppers(measured).values()))
    assert_within(alexnet, bound, (1, 28, 28))
    pools = math.prod(x["upper"] for x in stored["layers"] if x["kind"] == "pool")
    assert pools == 8
    assert stored["product-of-norms"] * pools == pytest.approx(stored["product"])


def test_the_summary_has_the_sizes_of_layers(stored, measured):
    first, pool, *_, last = stored["layers"]
    sizes = ("kind", "inputs", "outputs", "kernel", "stride")
    assert [first[key] for key in sizes] == ["conv", 1, 12, 5, 1]
    assert [pool[key] for key in sizes] == ["pool", None, None, 3, 2]
    assert [last[key] for key in sizes] == ["fc", 128, 10, None, None]
    assert stored["product"] == measured.product.upper
    assert len(first["spectrum"]) == 256 and last["spectrum"][0] == pytest.approx(
        last["upper"]
    )


def test_a_layer_without_weights_leaves_no_product_and_says_so():
    network = nn.Sequential(nn.Flatten(), nn.Linear(4, 3)).eval()
    network[1].weight.data[0, 0] = torch.nan
    found = network_norms(network, (1, 2, 2))
    assert found.layers["1"].upper is None and "NaN" in found.layers["1"].reason
    assert "Linear at 1" in found.product.reason
    fc = summary(network, (1, 2, 2))["layers"][0]
    assert (fc["inputs"], fc["upper"], fc["spectrum"]) == (4, None, None)


class OwnBatchNorm(nn.BatchNorm2d):
    def forward(self, values):
        return 100 * super().forward(values)


@pytest.mark.parametrize(
    ("layer", "reason"),
    [
        (nn.GroupNorm(1, 2), "no constant is known of GroupNorm"),
        (nn.Conv2d(2, 2, 3, padding=1, padding_mode="circular"), "'circular'"),
        (OwnBatchNorm(2), "no constant is known of OwnBatchNorm"),
        (nn.BatchNorm2d(2, track_running_stats=False), "depends on the batch"),
        (nn.LocalResponseNorm(4), "odd number of channels"),
        (nn.MaxPool2d(2, dilation=2), "no constant is known of MaxPool2d"),
        (nn.Softplus(1, threshold=1), "no constant is known of Softplus"),
    ],
)
def test_what_is_not_available_has_its_reason_in_the_table(layer, reason):
    network = nn.Sequential(nn.Conv2d(1, 2, 3), layer, nn.ReLU()).eval()
    found = network_norms(network, (1, 6, 6))
    assert found.layers["0"].name == "conv1"
    assert reason in found.layers["1"].reason
    assert found.product.upper is None and found.product.reason
    assert f"not available: {found.layers['1'].reason}" in str(found)
    with pytest.raises(InputError, match=re.escape(reason)):
        norm(layer, (6, 6))


def test_a_single_layer_is_a_network_too():
    layer = nn.Conv2d(2, 3, 3, padding=1, dilation=2)
    found = network_norms(layer, (2, 7, 7))
    (only,) = found.layers.values()
    assert (only.lower, only.upper) == norm(layer, 7)
    assert found.product.upper == pytest.approx(only.upper)


def test_numbers_in_the_printed_table_are_rounded_outwards():
    network = nn.Sequential(nn.Linear(1, 1, bias=False)).eval()
    network[0].weight.data[:] = 1.23456789
    assert "1.2345" in str(network_norms(network, (1,)))
    assert "at most 1.2346" in str(network_norms(network, (1,)))


def test_a_shape_that_the_network_does_not_take_is_refused_in_one_line():
    with pytest.raises(InputError, match=r"shape \(3, 8, 8\)") as caught:
        network_norms(nn.Conv2d(1, 2, 3), (3, 8, 8))
    assert "\n" not in str(caught.value)


def test_a_sigmoid_has_constant_one_quarter():
    network = perceptron([9, 5, 3], [True, False]).eval()
    found = network_norms(network, (1, 3, 3))
    names = [layer.name for layer in found.layers.values()]
    assert names == ["fc1", "sigmoid1", "fc2"]
    constants = uppers(found)
    assert found.product.upper == pytest.approx(constants["1"] * constants["3"] / 4)


def test_concatenated_outputs_count_with_the_root_of_their_squares():
    torch.manual_seed(0)
    network = torchvision_classifier("squeezenet1_1").eval()
    fire = network[1].features[3]
    constants = {"squeeze": 2.0, "expand1x1": 3.0, "expand3x3": 4.0}
    found = network_bound(fire, constants, (64, 5, 5))
    assert found.upper == pytest.approx(10)
    bound = network_norms(fire, (64, 5, 5)).product.upper
    assert_within(fire, bound, (64, 5, 5))


class Combined(nn.Module):
    """The input and a linear branch, combined by a formula."""

    def __init__(self, formula, weight=None):
        super().__init__()
        self.part, self.formula = nn.Linear(3, 3), formula
        self.part.weight.data = torch.eye(3) if weight is None else weight

    def forward(self, values):
        return self.formula(values, self.part(values))


class WithDefault(Combined):
    def forward(self, values, scale=None):
        return self.part(values * 100 if scale is None else values)


def added_in_place(values, hidden):
    hidden.add_(values)
    return hidden


def aliased(values, hidden):
    other = hidden
    other += values
    return hidden


def steep_in_place(_, hidden):
    return nn.functional.leaky_relu(hidden, 5, inplace=True) + hidden


def floored(_, hidden):
    return torch.div(hidden, 0.5, rounding_mode="floor")


SCALED = {
    "number first": lambda x, h: x + 0.5 * h,
    "number last": lambda x, h: h * 0.5 + x,
    "negative": lambda x, h: x - -2 * h,
    "whole": lambda x, h: 2 * x + torch.mul(h, 3),
    "divided": lambda x, h: (x + h / 4).div(0.7),
    "subtracted": lambda x, h: -(-x - h),
    "method": lambda x, h: x.neg().sub(h.mul(-1.5)).neg(),
}


@pytest.mark.parametrize("formula", SCALED.values(), ids=SCALED)
def test_scaled_branches_are_bounded_by_the_sum_of_their_scaled_bounds(formula):
    def bound_and_truth(weight):
        network = Combined(formula, weight).eval()
        jacobian = torch.func.jacrev(network)(torch.zeros(3)).detach().double()
        upper = network_norms(network, (3,)).product.upper
        return upper, float(torch.linalg.matrix_norm(jacobian, 2))

    rotated = torch.linalg.qr(torch.randn(3, 3, generator=seeded()))[0]
    upper, truth = bound_and_truth(3 * rotated)
    assert truth < upper
    # Where all directions agree, in one sign or the other, the bound is exact.
    aligned = [bound_and_truth(sign * 3 * torch.eye(3)) for sign in (1, -1)]
    assert upper == pytest.approx(max(truth for _, truth in aligned), rel=1e-6)


class OwnLinear(nn.Linear):
    def forward(self, values):
        return 5 * super().forward(values)


def test_a_layer_used_twice_counts_twice_with_its_larger_constant():
    linear = nn.Linear(4, 4, bias=False)
    linear.weight.data = 3 * torch.eye(4)
    network = nn.Sequential(nn.Flatten(), linear, linear).eval()
    assert network_norms(network, (1, 2, 2)).product.upper == pytest.approx(9)
    found = network_norms(TwoSizes().eval(), (1, 8, 8))
    assert found.layers["pool"].upper == pytest.approx(1)
    assert found.product.upper == pytest.approx(1)


def test_scripted_networks_are_refused_in_one_line():
    with pytest.raises(InputError, match="TorchScript does not tell its layers"):
        network_norms(torch.jit.script(nn.Sequential(nn.Linear(3, 3))), (3,))


class TwoSizes(nn.Module):
    def __init__(self):
        super().__init__()
        self.pool = nn.AdaptiveAvgPool2d(2)

    def forward(self, values):
        return self.pool(self.pool(values))


def test_branches_that_are_added_count_with_their_sum():
    network = Combined(lambda x, h: x + h).eval()
    assert network_bound(network, {"part": 2.0}, (3,)).upper == pytest.approx(3)
    assert network_bound(network, {"part": 2.0}).reason.endswith("of the input")


def with_hook():
    network = nn.Sequential(nn.Linear(3, 3))
    network[0].register_forward_hook(lambda layer, given, out: 3 * out)
    return network


@pytest.mark.parametrize(
    ("network", "reason"),
    [
        (Combined(lambda x, h: x + h.mean(1, keepdim=True)), "of different shapes"),
        (Combined(lambda x, h: h if x.sum() > 0 else x), "cannot be traced"),
        (Combined(lambda x, h: x[:, [0, 0, 0]] + h), "list of indices"),
        (Combined(added_in_place), "in place"),
        (Combined(aliased), "more than its trace"),
        (Combined(steep_in_place), "in place"),
        (WithDefault(None), "more than its trace"),
        (Combined(floored), "div()"),
        (Combined(lambda x, h: 2 / (x + 3)), "truediv()"),
        (Combined(lambda x, h: x * x), "mul()"),
        (Combined(lambda x, h: math.nan * x), "mul()"),
        (nn.Sequential(nn.Softplus(1, threshold=1)), "Softplus"),
        (nn.Sequential(OwnLinear(3, 3)), "linear"),
        (with_hook(), "Linear at 0 has a hook or a forward of its own"),
        (
            nn.utils.parametrizations.weight_norm(nn.Linear(3, 3)),
            "no constant is known",
        ),
        (nn.Sequential(nn.Softmax(1)), "Softmax"),
    ],
)
def test_what_the_graph_does_not_explain_has_no_product_but_a_reason(network, reason):
    constants = {"part": 1.0} if hasattr(network, "part") else {}
    bound = network_bound(network.eval(), constants, (3,))
    assert bound.upper is None
    assert reason in bound.reason and "\n" not in bound.reason


class SteepOnView(nn.Module):
    """Adds to a value what a steep function of its view, in place, returns."""

    def __init__(self, view):
        super().__init__()
        self.layer = nn.Linear(4, 4, bias=False)
        self.cut = view
        self.steep = nn.LeakyReLU(5, inplace=True)
        self.layer.weight.data.copy_(-torch.eye(4))

    def forward(self, values):
        inner = self.layer(values)
        other = self.steep(self.cut(inner))
        return other + inner


@pytest.mark.parametrize(
    "view",
    [
        *(lambda x: x.view(-1, 4), lambda x: x[:, :4], lambda x: x.flatten(1)),
        *(nn.Flatten(), nn.Identity(), nn.Dropout()),
    ],
)
def test_a_view_that_changes_in_place_leaves_no_product(view):
    network = SteepOnView(view).eval()
    found = network_norms(network, (4,)).product
    # Every output is ten times its input: the sum of the branches' bounds is six.
    ones = torch.ones(1, 4)
    assert torch.equal(network(ones) - network(0 * ones), -10 * ones)
    assert found.upper is None and "in place" in found.reason


def test_sums_that_change_in_place_keep_their_product():
    block = BasicBlock(4, 4).eval()
    assert block.relu.inplace
    found = network_norms(block, (4, 6, 6))
    assert_within(block, found.product.upper, (4, 6, 6))


@pytest.mark.filterwarnings("ignore:.*weight_norm:FutureWarning")
def test_a_layer_with_a_hook_has_no_constant():
    stale = nn.utils.weight_norm(nn.Linear(3, 3))  # its weight is that of the last call
    for layer in (with_hook()[0], stale):
        with pytest.raises(InputError, match="a hook or a forward of its own"):
            norm(layer)
    found = network_norms(with_hook(), (3,))
    assert found.layers["0"].upper is None and "a hook" in found.layers["0"].reason


@pytest.mark.parametrize("shape", [("a",), (1, -4), (2.0,), ()])
def test_a_network_is_as_before_whatever_the_shape(shape):
    network = nn.Sequential(nn.Linear(4, 3))
    with pytest.raises(InputError, match=r"shape: .*; give one input's"):
        network_norms(network, shape)
    assert not network[0]._forward_hooks


class Counting(nn.Linear):
    def __init__(self):
        super().__init__(3, 3)
        self.register_buffer("calls", torch.zeros(()))

    def forward(self, values):
        self.calls += 1
        return super().forward(values)


def test_buffers_are_as_before():
    network = nn.Sequential(Counting())
    network_norms(network, (3,))
    assert network[0].calls == 0


@pytest.mark.parametrize(
    ("weight", "said"),
    [
        (5j * torch.ones(1, 1, 2, 2), "torch.complex64 tensor on cpu given"),
        (torch.ones(1, 1, 2, 2, device="meta"), "tensor on meta given"),
        (torch.ones(2, 2, 2), "shape (2, 2, 2); give (outputs"),
    ],
)
def test_weights_that_are_no_real_numbers_are_refused(weight, said):
    for call in (lambda: conv_norm(weight, 1, 0, 1, 4), lambda: linear_norm(weight)):
        with pytest.raises(InputError) as error:
            call()
        assert said in str(error.value) and "\n" not in str(error.value)


def test_weights_may_be_arrays():
    matrix = torch.randn(3, 4, generator=seeded(0))
    assert linear_norm(matrix.numpy()) == linear_norm(matrix)


@pytest.mark.parametrize("network", [3, nn.Linear(3, 3, device="meta")])
def test_what_is_no_network_with_weights_is_refused(network):
    for call in (lambda: norm(network), lambda: network_norms(network, (3,))):
        with pytest.raises(InputError, match="model: "):
            call()


@pytest.mark.parametrize(
    ("layer", "steepest"),
    [
        (nn.ELU(alpha=-5), 5),
        (nn.LeakyReLU(-3), 3),
        (nn.SiLU(), 1.09984),
        (nn.GELU(), 1.12890),
        (nn.GELU(approximate="tanh"), 1.12899),
        (nn.Softplus(), 1),
    ],
)
def test_functions_of_single_values_have_their_steepest_slope(layer, steepest):
    points = torch.linspace(-6, 6, 120001, dtype=torch.float64, requires_grad=True)
    (slopes,) = torch.autograd.grad(layer(points).sum(), points)
    lower, upper = norm(layer)
    assert float(slopes.abs().max()) <= upper
    assert lower <= steepest <= upper < 1.001 * steepest


def test_dropout_counts_as_in_evaluation_mode():
    network = nn.Sequential(nn.Dropout(0.9)).train()
    assert network_bound(network, {}).upper == pytest.approx(1) and network.training


@pytest.mark.parametrize("pool", [nn.AdaptiveAvgPool2d(1), nn.AvgPool2d(3, 2, 1)])
def test_average_pools_of_large_images_are_bounded_without_their_matrix(pool):
    exact, _ = average_pool_norm(pool, (20, 20))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lipschitz, "DENSE_PIXELS", 10)
        lower, upper = average_pool_norm(pool, (20, 20))
    assert lower <= exact * (1 + 1e-10) and exact <= upper < 1.5 * exact
    whole = average_pool_norm(nn.AvgPool2d(2), (300, 300))
    assert whole == pytest.approx((0.5, 0.5))


class Block(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.convolution = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(channels)
        self.rectifier = nn.ReLU(inplace=True)

    def forward(self, values):
        hidden = self.rectifier(self.norm(self.convolution(values)))
        hidden = hidden + values
        return self.rectifier(hidden)


def test_residual_networks_with_batch_normalisation_have_a_product():
    torch.manual_seed(0)
    head = nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 5)
    network = nn.Sequential(nn.Conv2d(3, 4, 3), Block(4), Block(4), *head).eval()
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            nn.init.uniform_(layer.running_var, 0.5, 2)
            nn.init.uniform_(layer.weight, -1, 1)
    found = network_norms(network, (3, 8, 8))
    norms = {layer.name: layer.upper for layer in found.layers.values()}
    blocks = [1 + norms[f"conv{i + 1}"] * norms[f"BatchNorm2d{i}"] for i in (1, 2)]
    whole = norms["conv1"] * math.prod(blocks) * norms["pool1"] * norms["fc1"]
    assert found.product.upper == pytest.approx(whole)
    assert_within(network, found.product.upper, (3, 8, 8))


@pytest.mark.parametrize("scale", [1e-170, 1.0, 1e170])
def test_values_near_the_ends_of_float64_are_enclosed(scale):
    lower, upper = conv_norm(
        torch.full((1, 1, 1, 1), scale, dtype=torch.float64), 1, 0, 1, 4
    )
    assert 0 < lower <= scale <= upper < 1.01 * scale
    lower, upper = linear_norm(torch.full((2, 2), scale, dtype=torch.float64))
    assert 0 < lower <= 2 * scale <= upper < 2.01 * scale
    network = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2)).eval()
    assert network_bound(network, {"0": scale, "1": scale}).upper > 0


@pytest.mark.parametrize("kernel", [1, 2, 3, 4])
@pytest.mark.parametrize("dilation", [1, 2])
def test_padding_same_and_dilation_are_as_in_torch(kernel, dilation):
    torch.manual_seed(kernel)
    module = nn.Conv2d(2, 3, kernel, padding="same", dilation=dilation, bias=False)
    basis = torch.eye(2 * 49, dtype=torch.float64).reshape(-1, 2, 7, 7)
    exact = torch.linalg.matrix_norm(module.double()(basis).flatten(1), 2).item()
    lower, upper = norm(module, 7)
    assert lower <= exact * (1 + 1e-9) and exact <= upper < 1.01 * exact


def test_krizhevskys_network_has_his_groups_strides_and_sizes():
    with torch.device("meta"):
        network = build(alexnet_2012())
    convolutions = [x for x in network if isinstance(x, nn.Conv2d)]
    assert [x.groups for x in convolutions] == [1, 2, 1, 2, 2]
    assert [tuple(x.weight.shape[1:]) for x in convolutions] == [
        (3, 11, 11),
        (48, 5, 5),
        (256, 3, 3),
        (192, 3, 3),
        (192, 3, 3),
    ]
    assert convolutions[0].stride == (4, 4)
    linear = [x.weight.shape for x in network if isinstance(x, nn.Linear)]
    assert [tuple(shape) for shape in linear] == [
        (4096, 9216),
        (4096, 4096),
        (1000, 4096),
    ]
    image = torch.empty(2, 3, 227, 227, device="meta")
    assert network(image).shape == (2, 1000)
    contrast = [x for x in network if isinstance(x, nn.LocalResponseNorm)]
    assert [(x.size, x.beta, x.k) for x in contrast] == [(5, 0.75, 2.0)] * 2


def test_pools_and_contrast_normalisation_have_their_true_constants():
    assert norm(nn.MaxPool2d(3, 2), 55) == (2, 2)
    lower, upper = norm(nn.LocalResponseNorm(5, 5e-4, 0.75, 2.0), 9)
    assert lower == pytest.approx(2**-0.75) and upper > lower


def changed(stored, change, product=6.0):
    """Return what the step writes of a network, with other lower bounds."""
    layers = [{**layer, "lower": layer["lower"] + change} for layer in stored["layers"]]
    return {"layers": layers, **dict.fromkeys(PRODUCTS, product)}


def test_the_table_has_every_layer_and_column_then_the_products(stored):
    cells = spectral_cells("net", [stored])
    rows = [f"net/{layer['name']}" for layer in stored["layers"]]
    expected = [(row, column) for row in rows for column in COLUMNS]
    assert list(cells) == [*expected, *((f"net/{p}", "upper") for p in PRODUCTS)]
    assert cells["net/pool1", "araujo"] is None
    assert cells["net/fc1", "upper"].low == cells["net/fc1", "upper"].high
    assert cells["net/conv1", "stride"].value == 1


def test_numbers_of_several_seeds_are_means_with_an_interval(stored):
    cells = spectral_cells("net", [stored, changed(stored, 1, product=None)])
    found = cells["net/conv1", "lower"]
    first = stored["layers"][0]["lower"]
    assert found.value == pytest.approx(first + 0.5)
    assert found.low < first
    assert found.high > first + 1
    assert cells["net/conv1", "kernel"].low == 5
    assert cells["net/product", "upper"] is None


PUBLISHED = pd.read_csv(ROOT / "data/published.tsv", sep="\t", dtype={"printed": str})


def record(name, inputs=None, outputs=None, kernel=None, stride=None, **numbers):
    numbers = dict.fromkeys(("lower", "upper", "estimates", "spectrum")) | numbers
    sizes = {"inputs": inputs, "outputs": outputs, "kernel": kernel, "stride": stride}
    return {"name": name, **sizes, **numbers}


def test_alexnets_layers_stand_beside_both_versions_of_the_paper():
    numbers = {"lower": 2.7, "upper": 2.8, "estimates": {"smallest": 0.1}}
    layers = [
        record("conv1", 3, 96, 11, 4, **numbers),
        record("pool1", lower=2, upper=2),
        record("fc1", 9216, 4096),
    ]
    products = dict.fromkeys(PRODUCTS)
    cells = spectral_cells("alexnet-2012", [{"layers": layers, **products}])
    cells |= cells_in_the_papers_columns(cells)
    table = tidy(cells, published_layers(PUBLISHED), "spectral", kinds=KINDS)
    table = table.set_index(["row", "column"])
    first = table.loc["alexnet-2012/conv1"]
    given = first.loc["upper-v4", ["low", "high", "published"]].tolist()
    assert given == [2.7, 2.8, 2.75]
    assert first.loc["upper-v4", "verdict"] == "agrees"  # within the margin
    assert first.loc["upper-v1", "verdict"] == "differs"
    assert first.loc["lower-v1", "verdict"] == "undecided"  # printed with one digit
    assert not first.loc["stride", "verdict"]  # a setting
    missing = table.loc["alexnet-2012/fc1"].loc["upper-v4"]
    assert np.isnan(missing["value"])
    assert missing["published"] == 3.12
    assert "upper-v4" not in table.loc["alexnet-2012/pool1"].index


def test_other_networks_have_no_columns_of_the_paper(stored):
    assert cells_in_the_papers_columns(spectral_cells("net", [stored])) == {}


@pytest.mark.parametrize(
    ("layer", "size"),
    [
        (nn.MaxPool2d(3, 2), ()),
        (nn.AvgPool2d(2), ()),
        (nn.Conv2d(1, 2, 3), 8.0),
        (nn.Conv2d(1, 2, 3), (8,)),
        (nn.Conv2d(1, 2, 3), (8, -1)),
    ],
)
def test_a_size_that_is_none_is_named(layer, size):
    with pytest.raises(InputError, match=r"input_size: .*; give height and width"):
        norm(layer, size)


def test_a_table_names_layers_by_the_keys_and_as_the_paper_does():
    network = nn.Sequential(nn.Flatten(), nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2))
    found = network_norms(network, (1, 2, 2))
    assert [line.split("  ")[0] for line in str(found).splitlines()[1:3]] == [
        f"{path} ({layer.name})" for path, layer in found.layers.items()
    ]
    with pytest.raises(InputError, match="shape: 12; give one input's"):
        network_norms(network, 12)


def test_a_model_that_keeps_its_activations_keeps_no_part_of_the_trace():
    class Keeps(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.last = nn.Linear(8, 8), nn.Linear(8, 3)
            self.kept = []

        def forward(self, inputs):
            self.kept.append(self.first(inputs))
            return self.last(self.kept[-1])

    network = Keeps().eval()
    found = network_norms(network, (8,)).product
    assert found.upper == pytest.approx(
        float(found_norm(network.first) * found_norm(network.last)), rel=1e-6
    )
    assert all(type(one) is torch.Tensor for one in network.kept)


def found_norm(layer):
    return torch.linalg.matrix_norm(layer.weight.detach().double(), 2)


def test_standardisation_by_negative_numbers_stretches_as_much():
    lower, upper = norm(Standardise([0.0, 0.0], [-0.1, 1.0]))
    assert (lower, upper) == pytest.approx((10, 10), rel=1e-6)
