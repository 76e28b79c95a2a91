import json
import re
import sys
from os import environ, pathsep
from pathlib import Path

from snakemake.exceptions import WorkflowError

# Made absolute and put in front, so that a clone runs in any environment; steps,
# which are processes of their own, find the library by PYTHONPATH.
ROOT = Path(workflow.basedir).resolve()
SOURCES = str(ROOT / "src")
sys.path.insert(0, SOURCES)
INHERITED = environ.get("PYTHONPATH", "").split(pathsep)
environ.update(
    PYTHONPATH=pathsep.join(dict.fromkeys([SOURCES, *filter(None, INHERITED)]))
)

from intriguing.errors import InputError
from intriguing.workflow import (
    variants,
    convolutions,
    splits,
    provenance,
    settings,
    sheets,
)
from intriguing.workflow.config import read_config
from content_reruns import CodeDigestError, code_digest
from intriguing.workflow.files import remove_leftovers, write_text
from intriguing.workflow.folders import require_writable
from content_reruns.record_check import RecordsError, require_records

try:
    CFG = read_config(config)
    RESULTS = f"results/{CFG.run}"
    ALL_MODELS = sheets.read_models(CFG.models)
    MODELS = splits.whole(ALL_MODELS)
    COMPARED = splits.compared(ALL_MODELS, CFG)
    ATTACKS = sheets.read_attacks(CFG.attacks, MODELS)
    CONVOLUTIONAL = convolutions.read_convolutional(CFG.convolutional, ALL_MODELS)
    PERCEPTRONS = sheets.trained(MODELS, CFG.seeds)
    CONVOLUTED = convolutions.trained_convolutional(CONVOLUTIONAL, CFG.seeds)
    TRAINED = PERCEPTRONS + CONVOLUTED
    ON_SPLITS = sheets.trained(COMPARED, CFG.seeds)
    PRETRAINED = {f"torchvision-{name}": name for name in CFG.natural.networks}
    SPECTRAL = TRAINED
    if PRETRAINED:
        SPECTRAL = [*CONVOLUTED, *((m, 0) for m in PRETRAINED), ("alexnet-2012", 0)]
    ATTACKED = sheets.attacked(ATTACKS, MODELS, CFG)
    VARIANTS = variants.read_variants(CFG.variants)
    if workflow.is_main_process:
        require_writable(RESULTS)
        # What DVC holds; tables and other small files are in git.
        HELD = [f"{RESULTS}/{kind}" for kind in ("data", "models", "adversarial")]
        require_records(HELD, ".snakemake/metadata")
except (InputError, RecordsError) as error:
    raise WorkflowError(str(error)) from None

MNIST = f"{RESULTS}/data/mnist"
DIGITS = [f"{MNIST}/{name}.safetensors" for name in ("train", "test")]
DIGITS += [f"{MNIST}/{part}.txt" for part in ("P1", "P2")]
NETWORKS = [f"{RESULTS}/models/{m}/{s}.safetensors" for m, s in TRAINED]
NETWORKS += [f"{RESULTS}/training/{m}/{s}.json" for m, s in TRAINED]
# The attacks on the open choices are for the paper's own networks.
ADVERSARIAL = [
    f"{RESULTS}/adversarial/{attack}/{model}/{seed}.{kind}"
    for attack, model, seed in [*ATTACKED, *((sheets.FINEST, *n) for n in CONVOLUTED)]
    for kind in ("safetensors", "parquet")
]
TRANSFER = [f"{RESULTS}/transfer/lbfgs.parquet"]
TABLE_NAMES = ["models", "cross-model", "cross-model-sample", "controls", "choices"]
TABLE_NAMES += ["spectral"]
TABLES = [
    f"{RESULTS}/tables/{table}.{kind}"
    for table in TABLE_NAMES
    for kind in ("csv", "md", "tex", "html")
]
SPECTRA = [f"{RESULTS}/spectra/{m}/{s}.json" for m, s in SPECTRAL]
FIGURES = [
    f"{RESULTS}/figures/{figure}.{kind}"
    for figure in ("examples", "cross-model", "distortions", "spectra", "top-images")
    for kind in ("png", "svg", "pdf")
]
CLAIMS = [
    f"{RESULTS}/{name}" for name in ("claims.json", "claims.html", "metrics.json")
]
# Tables 3 and 4, where the config names networks for them.
SETS = [
    *(f"{RESULTS}/models/{m}/{s}.safetensors" for m, s in ON_SPLITS),
    *(f"{RESULTS}/training/{m}/{s}.json" for m, s in ON_SPLITS),
    *(
        f"{RESULTS}/adversarial/{sheets.FINEST}/{m}/{s}.{kind}"
        for m, s in ON_SPLITS
        for kind in ("safetensors", "parquet")
    ),
]
if COMPARED:
    SETS += [f"{RESULTS}/training/on-splits.json"]
    SETS += [f"{RESULTS}/transfer/training-sets.parquet"]
    SETS += [f"{RESULTS}/claims/training-sets.json"]
    SETS += [
        f"{RESULTS}/tables/{table}.{kind}"
        for table in ("training-sets", "cross-training-set", "amplification")
        for kind in ("csv", "md", "tex", "html")
    ]
    SETS += [
        f"{RESULTS}/figures/cross-training-set.{kind}" for kind in ("png", "svg", "pdf")
    ]


def data_of(model):
    """Data set that a convolutional or pretrained network takes."""
    return CONVOLUTIONAL[model].data if model in CONVOLUTIONAL else "photographs"


# The run of natural images, where pretrained networks are asked for.
NATURAL_NETWORKS = [*PRETRAINED, *(m for m in CONVOLUTIONAL if data_of(m) != "mnist")]
NATURAL = [
    f"{RESULTS}/{folder}/{name}.{form}"
    for folder, name, forms in (
        ("tables", "natural", ("csv", "md", "tex", "html")),
        ("tables", "natural-transfer", ("csv", "md", "tex", "html")),
        ("tables", "spectral", ("csv", "md", "tex", "html")),
        ("figures", "spectra", ("png", "svg", "pdf")),
        *(
            ("figures", f"triples-{data}", ("png", "svg", "pdf"))
            for data in {data_of(m): None for m in NATURAL_NETWORKS}
        ),
        *(
            ("figures", f"top-images-{name}", ("png", "svg", "pdf"))
            for name in PRETRAINED.values()
            if name.startswith("squeezenet")
        ),
    )
    for form in forms
    if PRETRAINED
]

# No param: where the same digits come from is no reason to train again.
if CFG.data.mirror:
    environ.setdefault("INTRIGUING_MIRROR", CFG.data.mirror)


wildcard_constraints:
    model="|".join(map(re.escape, [*ALL_MODELS, *CONVOLUTIONAL, *PRETRAINED])),
    attack="|".join(map(re.escape, ATTACKS)),
    seed=r"\d+",


def step(name):
    """Path of a step script, wherever the including file lies."""
    return str(ROOT / "scripts" / name)


def digest(name):
    """Digest of a step script and of the library code that it reaches."""
    try:
        return code_digest(ROOT / "scripts" / name, [ROOT / "src", ROOT / "scripts"])
    except CodeDigestError as error:
        raise WorkflowError(str(error)) from None


CHECKOUT = {}


onstart:
    # A run that was killed could not tidy up after itself.
    remove_leftovers(RESULTS)
    CHECKOUT.update(provenance.checkout_state(ROOT))


onsuccess:
    facts = provenance.collect(ROOT, Path(RESULTS), CFG, CHECKOUT)
    place = f"{RESULTS}/provenance.json"
    try:
        write_text(place, json.dumps(facts, indent=2) + "\n")
    except OSError as error:
        raise WorkflowError(f"{place}: {error}") from None
