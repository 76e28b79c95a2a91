"""Everything a user may set for a run. The defaults are the paper run."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from intriguing.errors import InputError
from intriguing.workflow.validation import in_two_lines, problems_of, suggestion

MNIST_TRAIN, MNIST_TEST = 60_000, 10_000


class Section(BaseModel):
    """A group of keys; a misspelt one is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @classmethod
    def defaults(cls) -> Self:
        """Return the section with the default of each key."""
        return cls.model_validate({})


def _no_truth(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError(f"must be a number, not {str(value).lower()}")
    return value


# Pydantic takes `true` for 1. It also takes "2e-3", which YAML reads as a text.
NoTruth = BeforeValidator(_no_truth)
Whole = Annotated[int, NoTruth]
Number = Annotated[float, NoTruth]
Seed = Annotated[int, Field(ge=0), NoTruth]
Positive = Annotated[float, Field(gt=0), NoTruth]
Share = Annotated[float, Field(gt=0, lt=1), NoTruth]
Threads = Annotated[
    int,
    Field(
        ge=1,
        description="Torch threads of each job. Fixed here, because the number of "
        "threads changes the last bits; with 2, halve `--cores`.",
    ),
    NoTruth,
]


NetworkName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_]+$")]


class DataSection(Section):
    """The digits."""

    mirror: str | None = Field(
        default=None,
        min_length=1,
        description="Folder searched for data before the network; the environment "
        "variable `INTRIGUING_MIRROR` takes precedence.",
    )
    train_images: Whole = Field(
        default=MNIST_TRAIN,
        ge=1,
        le=MNIST_TRAIN,
        description="Number of training images, the first of the file.",
    )
    test_images: Whole = Field(
        default=MNIST_TEST,
        ge=1,
        le=MNIST_TEST,
        description="Number of test images, the first of the file.",
    )
    split_seed: Seed = Field(
        default=0,
        description="Seed of the permutation that splits the training images into P1 "
        "and P2.",
    )


class AutoencoderSection(Section):
    """The sparse autoencoder under AE400-10, which the paper leaves open."""

    target: Share = Field(
        default=0.05, description="Target mean activation of a hidden unit."
    )
    weight: Number = Field(
        default=0.05, ge=0, description="Weight of the sparsity penalty."
    )
    decay: Number = Field(
        default=2e-3, ge=0, description="Weight decay of encoder and decoder."
    )


class TrainSection(Section):
    """How networks are fitted; what differs between them is in the sheet."""

    threads: Threads = 1
    autoencoder: AutoencoderSection = AutoencoderSection.defaults()


class AttackSection(Section):
    """How adversarial images are found; what differs between attacks: the sheet."""

    images: Whole = Field(
        default=1024,
        ge=1,
        description="Number of training images sampled and attacked for each seed.",
    )
    sample: Whole = Field(
        default=256,
        ge=1,
        description="Number of them in a sample of the paper's size, which is "
        "reported separately and which the attacks on the open choices use.",
    )
    starts: tuple[Positive, ...] = Field(
        default=(1.0, 0.1, 0.01, 4.0),
        min_length=1,
        description="Initial penalty weights, as multiples of an estimate; the "
        "smallest perturbation of all these starts is kept.",
    )
    tolerance: Positive = Field(
        default=2e-3,
        description="Distance from the minimiser at which an optimisation stops, "
        "relative to the norm of the perturbation.",
    )
    iterations: Whole = Field(
        default=100,
        ge=1,
        description="Maximal number of L-BFGS iterations for each penalty weight.",
    )
    threads: Threads = 1


class NoiseSection(Section):
    """The noise that Table 2 compares with."""

    deviations: tuple[Positive, ...] = Field(
        default=(0.1, 0.3),
        min_length=1,
        description="Standard deviations, in pixel units.",
    )


class TrainingSetsSection(Section):
    """Tables 3 and 4: networks trained on different splits of the training set."""

    networks: tuple[str, ...] = Field(
        default=("FC100-100-10@P1", "FC123-456-10@P1", "FC100-100-10@P2"),
        description="Networks compared, each trained on a split; `[]` omits Tables 3 "
        "and 4.",
    )
    images: Whole = Field(
        default=512,
        ge=1,
        description="Number of test images sampled and attacked for each seed.",
    )
    amplified: Positive = Field(
        default=0.1,
        description="Root mean square per pixel to which perturbations are amplified.",
    )
    deviations: tuple[Positive, ...] = Field(
        default=(0.06, 0.1),
        min_length=1,
        description="Standard deviations of the noise, in pixel units.",
    )


class DecompositionSection(Section):
    """Transfer between all networks trained on splits, by what they have in common."""

    factors: tuple[Positive, ...] = Field(
        default=(1.0, 1.25, 1.5, 1.75, 2.0, 2.5, 3.0),
        min_length=1,
        description="Factors by which perturbations are multiplied before transfer.",
    )
    distortions: tuple[Positive, ...] = Field(
        default=(0.06, 0.08, 0.1, 0.12, 0.15, 0.18),
        min_length=1,
        description="Root mean squares per pixel to which all perturbations are "
        "scaled; the claim uses the one nearest to `training_sets.amplified`.",
    )


class AdversarialTrainingSection(Section):
    """Networks trained with pools of adversarial examples; their sheet: `variants`."""

    held_out: Share = Field(
        default=0.2,
        description="Share of the training images, the last, that `tuning` holds out "
        "to compare settings.",
    )
    seeds: Whole = Field(
        default=5, ge=1, description="Number of seeds used, the first of the list."
    )


class SmoothnessSection(Section):
    """The designed experiment on many small networks, in `everything`."""

    images: tuple[Share | Literal[1], ...] = Field(
        default=(0.01, 0.02, 0.05, 0.15, 0.5, 1),
        min_length=4,
        description="Shares of the training images, for the curve and its limit.",
    )
    extremes: tuple[Share, Share] = Field(
        default=(0.02, 0.15),
        description="Two of `images`: the low and the high level of the factorial.",
    )
    seeds: Whole = Field(default=5, ge=2, description="Networks of each setting.")
    steps: Whole = Field(
        default=1000, ge=1, description="Steps of training, of 100 images."
    )
    attacked: Whole = Field(
        default=256, ge=1, description="Test images attacked for each network."
    )
    starts: Whole = Field(default=8, ge=1, description="Starts of the minimal attack.")
    parts: Whole = Field(
        default=8, ge=1, description="Jobs among which the networks are divided."
    )

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if not set(self.extremes) <= set(self.images):
            raise ValueError(
                "smoothness.extremes: take two values of smoothness.images"
            )
        return self


class NaturalSection(Section):
    """Natural images; `config/natural.yaml` has a run of them."""

    networks: tuple[NetworkName, ...] = Field(
        default=(),
        description="Pretrained networks, by torchvision's names; a list that is not "
        "empty makes the run one of natural images.",
    )
    layers: str = Field(
        default="alexnet_bvlc_layers.npz",
        description="File of AlexNet's layers in `data/raw/weights` or the mirror.",
    )
    images: Whole = Field(
        default=64,
        ge=1,
        description="Number of images attacked for each network and kind of target, "
        "divided among the seeds.",
    )
    starts: tuple[Positive, ...] = Field(
        default=(1.0,), min_length=1, description="As `attack.starts`."
    )
    tolerance: Positive = Field(
        default=1e-2,
        description="As `attack.tolerance`; also the relative tolerance of the "
        "penalty weight.",
    )
    iterations: Whole = Field(
        default=10,
        ge=1,
        description="Maximal number of L-BFGS iterations for each penalty weight.",
    )
    amplify: tuple[Positive, ...] = Field(
        default=(2.0, 4.0, 8.0),
        description="Factors by which perturbations are multiplied before transfer.",
    )


class RunConfig(Section):
    """Everything that may be set; one instance for each call of the workflow."""

    run: str = Field(
        default="paper",
        pattern=r"^[a-z0-9-]+$",
        description="Results go to `results/<run>`.",
    )
    seeds: tuple[Seed, ...] = Field(
        default=(0, 1, 2, 3, 4),
        min_length=1,
        description="Seeds; each non-convex network is trained once with each.",
    )
    models: str = Field(
        default="config/models.tsv", description="Sheet of the networks."
    )
    convolutional: str = Field(
        default="config/convolutional.tsv",
        description="Sheet of the convolutional networks.",
    )
    attacks: str = Field(
        default="config/attacks.tsv", description="Sheet of the attacks."
    )
    variants: str = Field(
        default="config/variants.tsv",
        description="Sheet of the variants of training.",
    )
    data: DataSection = DataSection.defaults()
    train: TrainSection = TrainSection.defaults()
    attack: AttackSection = AttackSection.defaults()
    noise: NoiseSection = NoiseSection.defaults()
    training_sets: TrainingSetsSection = TrainingSetsSection.defaults()
    decomposition: DecompositionSection = DecompositionSection.defaults()
    adversarial_training: AdversarialTrainingSection = (
        AdversarialTrainingSection.defaults()
    )
    smoothness: SmoothnessSection = SmoothnessSection.defaults()
    natural: NaturalSection = NaturalSection.defaults()

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if len(set(self.seeds)) < len(self.seeds):
            raise ValueError(f"seeds: one stands twice in {list(self.seeds)}")
        images, sample = self.attack.images, self.attack.sample
        if sample > images:
            raise ValueError(
                f"attack.sample: {sample} of attack.images {images}; lower it"
            )
        natural, jobs = self.natural.images, len(self.seeds)
        if self.natural.networks and natural % jobs:
            raise ValueError(
                f"natural.images: {natural} cannot be shared by {jobs} seeds evenly"
            )
        if images > self.data.train_images:
            raise ValueError(
                f"attack.images: {images} of data.train_images "
                f"{self.data.train_images}; lower it"
            )
        if self.training_sets.images > self.data.test_images:
            raise ValueError(
                f"training_sets.images: {self.training_sets.images} of "
                f"data.test_images {self.data.test_images}; lower it"
            )
        return self


def read_config(mapping: Mapping[str, Any]) -> RunConfig:
    """Check what the user set and fill in the defaults.

    Args:
        mapping: Nested keys and values, as YAML and the command line give them.

    Raises:
        InputError: One line for each of the first two problems, with the key.
    """
    try:
        return RunConfig.model_validate(dict(mapping))
    except ValidationError as error:
        lines = [_line(place, wording) for place, wording in problems_of(error)]
        raise InputError(in_two_lines(lines)) from error


def _line(place: str, wording: str) -> str:
    if not place:  # of several keys together: the wording names them
        return f"config: {wording}"
    if wording:
        return f"config: {place}: {wording}"
    group = place.rpartition(".")[0]
    dotted = [key for key, _ in keys(RunConfig) if key.startswith(f"{group}.")]
    known = dotted if group else RunConfig.model_fields
    return f"config: {place} is not a known key; {suggestion(place, known)}"


def keys(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the dotted name and the field of every key that holds a value."""
    for name, field in model.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from keys(inner, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", field
