"""Everything a user may set for a run. The defaults are the paper run."""

from collections.abc import Iterator, Mapping
from operator import attrgetter
from typing import Annotated, Any, Self

from pydantic import BaseModel, Field, ValidationError, model_validator

from intriguing.errors import InputError
from intriguing.workflow.sections import (
    AdversarialTrainingSection,
    AttackSection,
    BoundsSection,
    DataSection,
    DecompositionSection,
    NaturalSection,
    NoiseSection,
    OneOrMore,
    SaeSection,
    Seed,
    SmoothnessSection,
    Strict,
    TrainingSetsSection,
    TrainSection,
    UnitsSection,
)
from intriguing.workflow.validation import in_two_lines, problems_of, suggestion


class RunConfig(Strict):
    """Everything that may be set; one instance for each call of the workflow."""

    run: Annotated[str, Field(pattern=r"^[a-z0-9-]+$")] = "paper"
    """Results go to `results/<run>`."""
    seeds: Annotated[tuple[Seed, ...], OneOrMore] = (0, 1, 2)
    """Seeds; each non-convex network is trained once with each."""
    models: str = "config/models.tsv"
    """Sheet of the networks."""
    convolutional: str = "config/convolutional.tsv"
    """Sheet of the convolutional networks."""
    attacks: str = "config/attacks.tsv"
    """Sheet of the attacks."""
    variants: str = "config/variants.tsv"
    """Sheet of the variants of training."""
    data: DataSection = DataSection()
    train: TrainSection = TrainSection()
    attack: AttackSection = AttackSection()
    noise: NoiseSection = NoiseSection()
    training_sets: TrainingSetsSection = TrainingSetsSection()
    decomposition: DecompositionSection = DecompositionSection()
    adversarial_training: AdversarialTrainingSection = AdversarialTrainingSection()
    smoothness: SmoothnessSection = SmoothnessSection()
    units: UnitsSection = UnitsSection()
    sae: SaeSection = SaeSection()
    bounds: BoundsSection = BoundsSection()
    natural: NaturalSection = NaturalSection()

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if len(set(self.seeds)) < len(self.seeds):
            raise ValueError(f"seeds: one stands twice in {list(self.seeds)}")
        natural, jobs = self.natural.images, len(self.seeds)
        if self.natural.networks and natural % jobs:
            raise ValueError(
                f"natural.images: {natural} cannot be shared by {jobs} seeds evenly"
            )
        for smaller, larger in (
            ("attack.sample", "attack.images"),
            ("attack.images", "data.train_images"),
            ("training_sets.images", "data.test_images"),
        ):
            part, whole = (attrgetter(key)(self) for key in (smaller, larger))
            if part > whole:
                raise ValueError(f"{smaller}: {part} of {larger} {whole}; lower it")
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
