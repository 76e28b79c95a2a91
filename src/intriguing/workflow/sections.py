"""The groups of settings of a run, with their defaults, and the types of values."""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

MNIST_TRAIN, MNIST_TEST = 60_000, 10_000


class Strict(BaseModel):
    """A group of values that cannot be changed; a misspelt name is an error."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, allow_inf_nan=False, use_attribute_docstrings=True
    )


def _no_truth(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError(f"must be a number, not {str(value).lower()}")
    return value


# Pydantic takes `true` for 1. It also takes "2e-3", which YAML reads as a text.
NoTruth = BeforeValidator(_no_truth)
Count = Annotated[int, Field(ge=1), NoTruth]
CountOrZero = Annotated[int, Field(ge=0), NoTruth]
Seed = CountOrZero
NotNegative = Annotated[float, Field(ge=0), NoTruth]
Positive = Annotated[float, Field(gt=0), NoTruth]
Share = Annotated[float, Field(gt=0, lt=1), NoTruth]
OneOrMore = Field(min_length=1)
Numbers = Annotated[tuple[Positive, ...], OneOrMore]
Threads = Annotated[
    Count,
    Field(
        description="Torch threads of each job. Fixed here, because the number of "
        "threads changes the last bits; with 2, halve `--cores`."
    ),
]
NetworkName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_]+$")]


class DataSection(Strict):
    """The digits."""

    mirror: Annotated[str, OneOrMore] | None = None
    """Folder searched for data before the network; the environment variable
    `INTRIGUING_MIRROR` takes precedence."""
    folder: Annotated[str, OneOrMore] | None = None
    """Folder of four files in MNIST's format that replace MNIST, such as those of
    Fashion-MNIST, plain or `.gz`. They are only read. The paper's numbers are left
    out."""
    train_images: Annotated[int, Field(ge=1, le=MNIST_TRAIN), NoTruth] = MNIST_TRAIN
    """Number of training images, the first of the file."""
    test_images: Annotated[int, Field(ge=1, le=MNIST_TEST), NoTruth] = MNIST_TEST
    """Number of test images, the first of the file."""
    split_seed: Seed = 0
    """Seed of the permutation that splits the training images into P1 and P2."""


class AutoencoderSection(Strict):
    """The sparse autoencoder under AE400-10, which the paper leaves open."""

    target: Share = 0.05
    """Target mean activation of a hidden unit."""
    weight: NotNegative = 0.05
    """Weight of the sparsity penalty."""
    decay: NotNegative = 2e-3
    """Weight decay of encoder and decoder."""


class LbfgsSection(Strict):
    """Full-batch L-BFGS, the paper's trainer of the sigmoid networks."""

    iterations: Count = 700
    """Number of iterations, the same for all networks."""
    memory: Count = 30
    """Pairs of steps and gradients that approximate the Hessian."""


class TrainSection(Strict):
    """How networks are fitted; what differs between them is in the sheet."""

    threads: Threads = 1
    subset: Count = 20_000
    """Number of training images, the first, of networks that exist for one experiment
    on bounds or sparse codes."""
    lbfgs: LbfgsSection = LbfgsSection()
    autoencoder: AutoencoderSection = AutoencoderSection()


class AttackSection(Strict):
    """How adversarial images are found; what differs between attacks: the sheet."""

    images: Count = 1024
    """Number of training images sampled and attacked for each seed."""
    sample: Count = 256
    """Number of them in a sample of the paper's size, which is reported separately
    and which the attacks on the open choices use."""
    starts: Numbers = (1.0, 0.1, 0.01, 4.0)
    """Initial penalty weights, as multiples of an estimate; the smallest perturbation
    of all these starts is kept."""
    tolerance: Positive = 2e-3
    """Distance from the minimiser at which an optimisation stops, relative to the norm
    of the perturbation."""
    iterations: Count = 100
    """Maximal number of L-BFGS iterations for each penalty weight."""
    threads: Threads = 1


class NoiseSection(Strict):
    """The noise that Table 2 compares with."""

    deviations: Numbers = (0.1, 0.3)
    """Standard deviations, in pixel units."""


class TrainingSetsSection(Strict):
    """Tables 3 and 4: networks trained on different splits of the training set."""

    networks: tuple[str, ...] = (
        "FC100-100-10@P1",
        "FC123-456-10@P1",
        "FC100-100-10@P2",
    )
    """Networks compared, each trained on a split; `[]` omits Tables 3 and 4."""
    images: Count = 512
    """Number of test images sampled and attacked for each seed."""
    amplified: Positive = 0.1
    """Root mean square per pixel to which perturbations are amplified."""
    deviations: Numbers = (0.06, 0.1)
    """Standard deviations of the noise, in pixel units."""


class DecompositionSection(Strict):
    """Transfer between all networks trained on splits, by what they have in common."""

    factors: Numbers = (1.0, 1.25, 1.5, 1.75, 2.0, 2.5, 3.0)
    """Factors by which perturbations are multiplied before transfer."""
    distortions: Numbers = (0.06, 0.08, 0.1, 0.12, 0.15, 0.18)
    """Root mean squares per pixel to which all perturbations are scaled; the claim
    uses the one nearest to `training_sets.amplified`."""


class AdversarialTrainingSection(Strict):
    """Networks trained with pools of adversarial examples; their sheet: `variants`."""

    held_out: Share = 0.2
    """Share of the training images, the last, that `tuning` holds out to compare
    settings."""
    seeds: Count = 5
    """Most seeds used, the first of the list."""


class SmoothnessSection(Strict):
    """The designed experiment on many small networks, in `everything`."""

    images: Annotated[tuple[Share | Literal[1], ...], Field(min_length=4)] = (
        *(0.01, 0.02, 0.05, 0.15, 0.5, 1),
    )
    """Shares of the training images, for the curve and its limit."""
    extremes: tuple[Share, Share] = (0.02, 0.15)
    """Two of `images`: the low and the high level of the factorial."""
    seeds: Annotated[int, Field(ge=2), NoTruth] = 5
    """Networks of each setting."""
    steps: Count = 1000
    """Steps of training, of 100 images."""
    attacked: Count = 256
    """Test images attacked for each network."""
    starts: Count = 8
    """Starts of the minimal attack."""
    parts: Count = 8
    """Jobs among which the networks are divided."""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if not set(self.extremes) <= set(self.images):
            raise ValueError("extremes: take two values of smoothness.images")
        return self


class UnitsSection(Strict):
    """Selectivity of units against that of random rotations of their layer."""

    images: Count = 2000
    """Number of test images, the first."""
    rotations: Annotated[int, Field(ge=2), NoTruth] = 1000
    """Random rotations of each layer."""
    fractions: tuple[Annotated[float, Field(ge=0), NoTruth], ...] = (
        *(0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0),
    )
    """Places between the units (0) and a random rotation (1)."""


class SaeSection(Strict):
    """Sparse autoencoders of hidden layers."""

    width: Count = 2
    """Latents, as a multiple of the layer's units."""
    k: Count = 20
    """Active latents of an image."""
    epochs: Count = 4
    """Passes over the training images."""
    images: Count = 256
    """Number of test images that are perturbed."""
    widths: tuple[Count, ...] = (20, 50, 100, 200)
    """Units of the layers in which superposition is measured."""
    radii: Annotated[tuple[NotNegative, ...], OneOrMore] = (0.0, 0.5, 1.0)
    """Lengths of the perturbations that those networks are trained on; first none."""


class BoundsSection(Strict):
    """Certified distances of the fully connected networks."""

    images: Count = 16
    """Number of test images certified for each network, the first."""
    wide_images: CountOrZero = 2
    """The same for networks of more than 250 hidden units, of which an image takes
    minutes; 0 leaves these networks out."""
    draws: Count = 400_000
    """Draws from Gaussian inputs that say how often a steep gradient occurs."""
    depths: tuple[Count, ...] = (1, 2, 3, 4, 6)
    """Hidden layers of the networks whose bounds are compared by depth."""


class NaturalSection(Strict):
    """Natural images; `config/natural.yaml` has a run of them."""

    networks: tuple[NetworkName, ...] = ()
    """Pretrained networks, by torchvision's names; a list that is not empty makes the
    run one of natural images."""
    layers: str = "alexnet_bvlc_layers.npz"
    """File of AlexNet's layers in `data/raw/weights` or the mirror."""
    images: Count = 64
    """Number of images attacked for each network and kind of target, divided among the
    seeds."""
    starts: Numbers = (1.0,)
    """As `attack.starts`."""
    tolerance: Positive = 1e-2
    """As `attack.tolerance`; also the relative tolerance of the penalty weight."""
    iterations: Count = 10
    """Maximal number of L-BFGS iterations for each penalty weight."""
    amplify: tuple[Positive, ...] = (2.0, 4.0, 8.0)
    """Factors by which perturbations are multiplied before transfer."""
