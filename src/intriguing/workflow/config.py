"""Everything a user may set for a run. The defaults are the paper run."""

import json
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Self

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
        description="Folder to look for data in before the network; the environment "
        "variable `INTRIGUING_MIRROR` wins over it.",
    )
    train_images: Whole = Field(
        default=MNIST_TRAIN,
        ge=1,
        le=MNIST_TRAIN,
        description="Training images, the first.",
    )
    test_images: Whole = Field(
        default=MNIST_TEST, ge=1, le=MNIST_TEST, description="Test images, the first."
    )
    split_seed: Seed = Field(default=0, description="Seed that cuts P1 and P2.")


class AutoencoderSection(Section):
    """The sparse autoencoder under AE400-10, which the paper leaves open."""

    target: Share = Field(default=0.05, description="Wanted mean activation of a unit.")
    weight: Number = Field(
        default=0.05, ge=0, description="Price of missing that target."
    )
    decay: Number = Field(
        default=2e-3, ge=0, description="Decay of encoder and decoder."
    )


class TrainSection(Section):
    """How networks are fitted; what differs between them is in the sheet."""

    threads: Threads = 1
    autoencoder: AutoencoderSection = AutoencoderSection()


class AttackSection(Section):
    """How adversarial images are found; what differs between attacks: the sheet."""

    images: Whole = Field(
        default=1024,
        ge=1,
        description="Training images drawn for each seed and attacked.",
    )
    sample: Whole = Field(
        default=256,
        ge=1,
        description="The first so many of them, a sample as large as the paper's: "
        "reported apart, and all that the attacks on the open choices take.",
    )
    starts: tuple[Positive, ...] = Field(
        default=(1.0, 0.1, 0.01, 4.0),
        min_length=1,
        description="Weights at which the search starts, each in turn, as multiples "
        "of an estimate; the nearest result of all is kept.",
    )
    tolerance: Positive = Field(
        default=2e-3,
        description="Distance from the minimiser at which a solve ends, as a share of "
        "the perturbation.",
    )
    iterations: Whole = Field(
        default=100, ge=1, description="Steps of a solve, at most."
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
        description="Networks compared, each trained on a split; `[]` for no such "
        "tables.",
    )
    images: Whole = Field(
        default=512, ge=1, description="Test images drawn for each seed and attacked."
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
        description="Times as long as they were made that perturbations are fed.",
    )
    distortions: tuple[Positive, ...] = Field(
        default=(0.06, 0.08, 0.1, 0.12, 0.15, 0.18),
        min_length=1,
        description="Root mean squares per pixel that all perturbations are brought "
        "to; the claim is judged at the one nearest to `training_sets.amplified`.",
    )


class AdversarialTrainingSection(Section):
    """Networks trained with pools of adversarial examples; their sheet: `variants`."""

    held_out: Share = Field(
        default=0.2,
        description="Share of the training images, the last, that `tuning` trains "
        "without and judges settings by.",
    )
    seeds: Whole = Field(
        default=5, ge=1, description="How many of the seeds are used, the first."
    )


class NaturalSection(Section):
    """Natural images; `config/natural.yaml` has a run of them."""

    networks: tuple[NetworkName, ...] = Field(
        default=(),
        description="Pretrained networks, by torchvision's names; with some, the run "
        "is one of natural images.",
    )
    layers: str = Field(
        default="alexnet_bvlc_layers.npz",
        description="File of AlexNet's layers in `data/raw/weights` or the mirror.",
    )
    images: Whole = Field(
        default=64,
        ge=1,
        description="Images attacked for each network and kind of target; the seeds "
        "share them, each in a job of its own.",
    )
    starts: tuple[Positive, ...] = Field(
        default=(1.0,), min_length=1, description="As `attack.starts`."
    )
    tolerance: Positive = Field(
        default=1e-2, description="Of each solve, and of the search on its weight."
    )
    iterations: Whole = Field(
        default=10, ge=1, description="Steps of a solve, at most."
    )
    amplify: tuple[Positive, ...] = Field(
        default=(2.0, 4.0, 8.0),
        description="Factors of longer perturbations in the transfer.",
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
        description="Sheet of the ways to regularise a network.",
    )
    data: DataSection = DataSection()
    train: TrainSection = TrainSection()
    attack: AttackSection = AttackSection()
    noise: NoiseSection = NoiseSection()
    training_sets: TrainingSetsSection = TrainingSetsSection()
    decomposition: DecompositionSection = DecompositionSection()
    adversarial_training: AdversarialTrainingSection = AdversarialTrainingSection()
    natural: NaturalSection = NaturalSection()

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


def config_table() -> str:
    """Return every key with its default and meaning as a Markdown table."""
    rows = ["| key | default | meaning |", "|---|---|---|"]
    for key, field in keys(RunConfig):
        text = "" if field.default is None else f"`{json.dumps(field.default)}`"
        rows.append(f"| `{key}` | {text} | {field.description} |")
    return "\n".join(rows) + "\n"
