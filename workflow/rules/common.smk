import re
import shlex
import sys
from functools import partial
from os import environ, pathsep
from pathlib import Path

from snakemake.exceptions import WorkflowError

# Made absolute and put in front, so that a clone runs in any environment; steps,
# which are processes of their own, find the library by PYTHONPATH.
ROOT = Path(workflow.basedir).resolve()
SOURCES = str(ROOT / "src")
sys.path.insert(0, SOURCES)
PATHS = f"{SOURCES}{pathsep}{environ.get('PYTHONPATH', '')}"
environ["PYTHONPATH"] = PATHS.rstrip(pathsep)
# Snakemake does not quote it in the commands of its jobs; a folder may have a space.
sys.executable = shlex.quote(sys.executable)

from content_reruns import CodeDigestError, code_digest
from content_reruns.record_check import RecordsError, require_records
from intriguing.errors import InputError
from intriguing.workflow import convolutions, provenance, sheets, splits, verification
from intriguing.workflow.config import read_config
from intriguing.workflow.files import remove_leftovers, write_json
from intriguing.workflow.folders import has_jobs_elsewhere, require_writable


def checked(read, *arguments):
    """What a reader returns; its complaint about the input stops the workflow."""
    try:
        return read(*arguments)
    except (CodeDigestError, InputError, RecordsError) as error:
        raise WorkflowError(str(error)) from None


CFG = checked(read_config, config)
RESULTS = f"results/{CFG.run}"
MNIST = f"{RESULTS}/data/mnist"
# The paper has no numbers of other images.
PUBLISHED = "data/not-published.tsv" if CFG.data.folder else "data/published.tsv"

# Networks by name, as rows of their sheets; lists of them hold names and seeds.
PERCEPTRONS = checked(sheets.read_models, CFG.models)
CONVOLUTIONAL = checked(convolutions.read_convolutional, CFG.convolutional, PERCEPTRONS)
PRETRAINED = {f"torchvision-{name}": name for name in CFG.natural.networks}
MODELS = splits.whole(PERCEPTRONS)
ON_SPLITS = splits.on_splits(PERCEPTRONS)
CONVOLUTED = convolutions.trained_convolutional(CONVOLUTIONAL, CFG.seeds)
TRAINED = sheets.trained(MODELS, CFG.seeds) + CONVOLUTED
# Networks, and seeds of the images and targets that are drawn for them. A linear network
# has one seed, and images of all.
DRAWN = [(model, seed) for model in MODELS for seed in CFG.seeds] + CONVOLUTED

# Files of each target, and what is gathered of them; every chapter adds its own. A
# target asks for all files that are kept, as Snakemake does not miss one in the middle
# while the last one is there.
PAPER, EVERYTHING, NATURAL, CLAIM_FILES, METRIC_TABLES = [], [], [], [], []
# Our forms of the paper's Tables 1 to 4, and the attacks that their distortions are of:
# table, network, seed.
PRINTED_TABLES, PRINTED_ATTACKS = [], []

if workflow.is_main_process:
    checked(require_writable, RESULTS)
    # What DVC holds; tables and other small files are in git.
    HELD = [f"{RESULTS}/{kind}" for kind in ("data", "models", "adversarial")]
    checked(require_records, HELD, ".snakemake/metadata")

# No param: where the same images come from is no reason to train again.
if CFG.data.mirror:
    environ.setdefault("INTRIGUING_MIRROR", CFG.data.mirror)


wildcard_constraints:
    model="|".join(map(re.escape, [*PERCEPTRONS, *CONVOLUTIONAL, *PRETRAINED])),
    seed=r"\d+",


FIGURE_FORMS = ("png", "svg", "pdf")


def step(name):
    """Path of a step script, wherever the including file lies."""
    return str(ROOT / "scripts" / name)


def complete(task):
    """Give a step its log, its benchmark, and the digest of the code that it reaches."""
    names = dict.fromkeys(re.findall(r"{(\w+)", task.output[0]))
    place = "/".join([task.name, *(f"{{{name}}}" for name in names)])
    task.log_modifier = task.benchmark_modifier = task.output_modifier
    task.set_log(f"{RESULTS}/logs/{place}.log")
    task.benchmark = f"{RESULTS}/benchmarks/{place}.tsv"
    folders = [ROOT / "src", ROOT / "scripts"]
    task.set_params(code=checked(code_digest, Path(task.script), folders))


def any_of(names):
    """Pattern of a wildcard that takes one of some names, and nothing for none."""
    return "|".join(map(re.escape, names)) or "(?!)"


def data_of(model):
    """Data set whose images a network takes."""
    if model in PRETRAINED:
        return "photographs"
    return CONVOLUTIONAL[model].data if model in CONVOLUTIONAL else "mnist"


def held_out_images(model):
    """Images that a network was not trained on."""
    kind = "all" if model in PRETRAINED else "test"
    return f"{RESULTS}/data/{data_of(model)}/{kind}.safetensors"


def files_of(folder, suffix, networks):
    return [f"{RESULTS}/{folder}/{model}/{seed}.{suffix}" for model, seed in networks]


weights_of = partial(files_of, "models", "safetensors")
errors_of = partial(files_of, "training", "json")


def network_of_images(wildcards):
    """Weights of the network for which images of a seed are made."""
    model, seeds = wildcards.model, [wildcards.seed]
    if model in MODELS:
        seeds = sheets.seeds_of(MODELS[model], seeds)
    return weights_of([(model, seeds[0])])[0]


def images_of(attack, networks):
    """Adversarial images that an attack made for each network."""
    return files_of(f"adversarial/{attack}", "safetensors", networks)


def records_of(attack, networks):
    """Records of the images that an attack made for each network."""
    return files_of(f"adversarial/{attack}", "parquet", networks)


def in_report(path, name, title, paper, kind):
    """The file, shown in the report: under what the paper calls it, or as beyond it."""
    named = {kind: title, "paper": paper}
    return report(
        path,
        caption=ROOT / f"workflow/report/{name}.rst",
        category=f"{kind.rstrip('s').capitalize()}s" if paper else "Beyond the paper",
        labels=named if paper else {"result": title, "kind": kind},
    )


def table(name, title, paper=None):
    """A table's outputs: its CSV file under its own name, and three more forms."""
    stem, key = f"{RESULTS}/tables/{name}", name.replace("-", "_")
    page = in_report(f"{stem}.html", f"table-{name}", title, paper, "table")
    forms = {f"{key}_md": f"{stem}.md", f"{key}_tex": f"{stem}.tex"}
    return {key: f"{stem}.csv", **forms, f"{key}_html": page}


def figure(name, title, paper=None, caption=None):
    """A figure's outputs in three forms."""
    stem = f"{RESULTS}/figures/{name}"
    forms = {form: f"{stem}.{form}" for form in FIGURE_FORMS}
    shown = f"figure-{caption or name}"
    return forms | {"svg": in_report(forms["svg"], shown, title, paper, "figure")}


def named_figure(name, title):
    """Outputs of one figure of several, under the last word of its name."""
    word = name.rpartition("-")[2]
    return {f"{word}_{form}": path for form, path in figure(name, title).items()}


def claims_page(name, title):
    """Outputs of claims that go beyond the paper: the file, and a page."""
    stem = f"{RESULTS}/claims/{name}"
    page = in_report(f"{stem}.html", f"claims-{name}", title, None, "claims")
    return {"claims": f"{stem}.json", "claims_html": page}


CHECKOUT = {}


onstart:
    # A run that was killed could not tidy up; a job on another node may still write.
    if not has_jobs_elsewhere(".snakemake/incomplete"):
        remove_leftovers(RESULTS)
    CHECKOUT.update(provenance.checkout_state(ROOT))


onsuccess:
    facts = provenance.collect(ROOT, Path(RESULTS), CFG, CHECKOUT)
    try:
        write_json(f"{RESULTS}/provenance.json", facts)
    except OSError as error:
        raise WorkflowError(f"{RESULTS}/provenance.json: {error}") from None
