"""The sheets: one row a network, one row an attack setting."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, Self, TypeVar

from pydantic import BeforeValidator, Field, ValidationError, model_validator

from intriguing.errors import InputError
from intriguing.workflow.config import RunConfig
from intriguing.workflow.sections import AttackSection, Strict
from intriguing.workflow.validation import in_two_lines, problems_of, suggestion

# The attack whose weights the coarser searches start from.
FINEST = "lbfgs"
# Made by a rule of its own, beside those of the sheet.
TAKEN = "minimal"


def _or_none(cell: Any) -> Any:
    return None if cell == "-" else cell


def _entries(cell: Any) -> Any:
    if not isinstance(cell, str):
        return cell
    return () if cell == "-" else tuple(part.strip() for part in cell.split(","))


def _entries_or_all(cell: Any) -> Any:
    return None if cell == "all" else _entries(cell)


# Names are folders and wildcards.
ModelName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9.@_-]*$")]
ShortName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")]
Count = Annotated[int, Field(ge=1)]
Seed = Annotated[int, Field(ge=0)]
Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
Share = Annotated[float, Field(ge=0, lt=1)]
ImageCount = Annotated[str, Field(pattern=r"^(all|sample|[1-9][0-9]*)$")]
Hyphen = BeforeValidator(_or_none)
Entries = BeforeValidator(_entries)
# None stands for all.
EntriesOrAll = BeforeValidator(_entries_or_all)


class ModelRow(Strict):
    """A network and how it is fitted."""

    model: ModelName
    """Its name; on a split it ends in `@P1`, `@P2`."""
    family: Literal["linear", "sigmoid", "autoencoder"]
    """`linear`, `sigmoid` (hidden layers), or `autoencoder` (softmax on the codes of a
    sparse one)."""
    hidden: Annotated[tuple[Count, ...], Entries]
    """Units of each hidden layer, `100,100`; `-` for none."""
    decay: Annotated[tuple[NotNegative, ...], Entries]
    """Weight decay of each linear map, from the pixels on; of an autoencoder that of
    the softmax."""
    split: Literal["all", "P1", "P2"]
    """Training images: `all`, or one of the splits `P1` and `P2`."""
    learning_rate: Annotated[Positive | None, Hyphen]
    """Highest learning rate of Adam; `-` trains by L-BFGS on all images at once, which
    linear and sigmoid networks allow."""
    epochs: Annotated[Count | None, Hyphen]
    """Passes over the training images; `-` likewise."""
    batch: Annotated[Count | None, Hyphen]
    """Batch size; `-` likewise."""
    warmup: Annotated[Share | None, Hyphen]
    """Share of all steps in which the learning rate rises; `-` likewise."""

    @model_validator(mode="after")
    def _fits_its_family(self) -> Self:
        layers = len(self.hidden)
        allowed = {"linear": layers == 0, "autoencoder": layers == 1}
        if not allowed.get(self.family, layers > 0):
            raise ValueError(f"hidden: {layers} layers do not make it {self.family}")
        maps = layers + 1 if self.family == "sigmoid" else 1
        if len(self.decay) != maps:
            raise ValueError(f"decay: must have {maps} entries, not {len(self.decay)}")
        return self

    @model_validator(mode="after")
    def _has_all_settings_of_its_optimiser(self) -> Self:
        by_lbfgs = self.learning_rate is None
        if by_lbfgs and self.family == "autoencoder":
            raise ValueError("learning_rate: an autoencoder is trained by Adam only")
        if not by_lbfgs and self.family == "linear":
            raise ValueError("learning_rate: must be -, as a linear network is convex")
        for name in ("epochs", "batch", "warmup"):
            if (getattr(self, name) is None) != by_lbfgs:
                expected = "-, as learning_rate is" if by_lbfgs else "a number"
                raise ValueError(f"{name}: must be {expected}")
        return self

    @model_validator(mode="after")
    def _is_named_after_its_split(self) -> Self:
        named = self.model.rpartition("@")[2] if "@" in self.model else "all"
        if named != self.split:
            ending = "have no @" if self.split == "all" else f"end in @{self.split}"
            raise ValueError(f"model: must {ending}, as its split says")
        return self


class AttackRow(Strict):
    """A setting of the attack, and what it is run on."""

    attack: ShortName
    """Its name."""
    method: Literal["lbfgs", "scipy"]
    """`lbfgs`, ours for many images at once, or `scipy`, the reference."""
    norm: Literal["squared", "plain"]
    """Distance in the objective: `squared`, or `plain` as printed."""
    search: Literal["refine", "grid", "one-weight"]
    """Weight of the distance: the largest that succeeds for the image (`refine`), the
    same in steps of 10^0.2 (`grid`), or one for all images (`one-weight`); the last two
    start from the results of the row `lbfgs`."""
    target: Literal["random", "next", "nearest"]
    """Target: a random wrong class, the next digit, or the nearest class."""
    models: Annotated[tuple[str, ...] | None, EntriesOrAll]
    """Networks attacked: `all` that are not trained on a split, or some of them,
    `FC10-1,AE400-10`."""
    seeds: Annotated[tuple[Seed, ...] | None, EntriesOrAll]
    """Seeds: `all` of the config, or some, `0,1`."""
    images: ImageCount
    """Number of images: `all` is `attack.images` of the config, `sample` is
    `attack.sample`; or a number."""


Row = TypeVar("Row", bound=Strict)


class Job(NamedTuple):
    """One attack on one network."""

    attack: str
    model: str
    seed: int


def read_models(path: Path | str) -> dict[str, ModelRow]:
    """Read the networks, by name in the order of the sheet.

    Raises:
        InputError: The file, the row and the column of what is wrong.
    """
    return read_rows(Path(path), ModelRow)


def read_attacks(
    path: Path | str, models: Mapping[str, ModelRow]
) -> dict[str, AttackRow]:
    """Read the attacks, by name in the order of the sheet.

    Raises:
        InputError: The file, the row and the column of what is wrong, an unknown
            network among it.
    """
    attacks = read_rows(Path(path), AttackRow)
    for name, row in attacks.items():
        if problem := _problem(row, attacks.get(FINEST), models):
            raise InputError(f"{path}, row {name}, {problem}")
    return attacks


def seeds_of(row: ModelRow, seeds: Sequence[int]) -> tuple[int, ...]:
    """Return the seeds that a network is trained with: 0 alone when it is convex."""
    return (0,) if row.family == "linear" else tuple(seeds)


def trained(
    models: Mapping[str, ModelRow], seeds: Sequence[int]
) -> list[tuple[str, int]]:
    """List network and seed of everything that is trained."""
    return [
        (name, seed) for name, row in models.items() for seed in seeds_of(row, seeds)
    ]


def attacked(
    attacks: Mapping[str, AttackRow], models: Mapping[str, ModelRow], config: RunConfig
) -> list[Job]:
    """List every attack, network and seed of images that the sheets ask for.

    The images of a seed are attacked for its networks and for the convex ones.

    Raises:
        InputError: An attack asks for a seed, or for more images, than the config has.
    """
    jobs = []
    for attack, row in attacks.items():
        place = f"{config.attacks}, row {attack}"
        seeds = config.seeds if row.seeds is None else row.seeds
        strangers = sorted(set(seeds) - set(config.seeds))
        if strangers:
            raise InputError(
                f"{place}, seeds: {strangers} are not among the config's seeds "
                f"{list(config.seeds)}; add them there or remove them here"
            )
        if image_count(row.images, config.attack) > config.attack.images:
            raise InputError(
                f"{place}, images: {row.images} are more than attack.images "
                f"{config.attack.images} of the config"
            )
        for model in models if row.models is None else row.models:
            jobs += [Job(attack, model, seed) for seed in seeds]
    return jobs


def image_count(images: str, section: AttackSection) -> int:
    """Return the number of images that a cell of a sheet stands for."""
    counts = {"all": section.images, "sample": section.sample}
    return counts.get(images) or int(images)


def _problem(
    row: AttackRow, finest: AttackRow | None, models: Mapping[str, ModelRow]
) -> str:
    """Say why a row cannot be done; empty when it can."""
    if row.attack == TAKEN:
        return "attack: a rule of its own has that name; call the row otherwise"
    if unknown := [model for model in row.models or () if model not in models]:
        return (
            f"models: no network is called {unknown[0]!r}; known: {', '.join(models)}"
        )
    if row.search == "refine":
        return ""
    if row.method != "lbfgs":
        return f"method: with the search {row.search} it must be lbfgs"
    if finest is None or finest.search != "refine":
        return (
            f"search: {row.search} starts from the results of the row {FINEST}; add "
            "that row, with the search refine"
        )
    for name in ("norm", "target"):
        same = getattr(finest, name)
        if getattr(row, name) != same:
            reason = f"with the search {row.search} it must be {same}"
            return f"{name}: {reason}, as in the row {FINEST}"
    return ""


def read_rows(path: Path, kind: type[Row]) -> dict[str, Row]:
    """Read one sheet, by name; its first column holds the names."""
    rows: dict[str, Row] = {}
    for name, cells in _cells(path, list(kind.model_fields)):
        try:
            row = kind.model_validate(cells)
        except ValidationError as error:
            found = (": ".join(filter(None, found)) for found in problems_of(error))
            lines = [f"{path}, row {name}, {line}" for line in found]
            raise InputError(in_two_lines(lines)) from error
        if name in rows:
            raise InputError(f"{path}: two rows are called {name}; rename one")
        rows[name] = row
    if not rows:
        raise InputError(f"{path} has no row; add one")
    return rows


def _cells(path: Path, columns: list[str]) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield the name and the cells of each row, empty lines left out."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: the sheet cannot be read ({error})") from error
    header, *rows = list(csv.reader(filter(str.strip, lines), delimiter="\t")) or [[]]
    _check_header(path, header, columns)
    for number, cells in enumerate(rows, 1):
        if len(cells) != len(header):
            raise InputError(
                f"{path}, row {cells[0] or number}: {len(cells)} cells, tab-separated, "
                f"where the header has {len(header)}"
            )
        row = dict(zip(header, (cell.strip() for cell in cells), strict=True))
        yield row[columns[0]] or str(number), row


def _check_header(path: Path, header: list[str], columns: list[str]) -> None:
    for name in header:
        if name not in columns:
            raise InputError(
                f"{path}: {name!r} is not a known column; {suggestion(name, columns)}"
            )
    missing = [name for name in columns if name not in header]
    if missing:
        raise InputError(f"{path}: the column {', '.join(missing)} is missing; add it")
