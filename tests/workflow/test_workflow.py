"""Every rule once, on real digits: what users of the results may rely on."""

import csv
import json
import re
import xml.etree.ElementTree as ElementTree
from base64 import b64decode
from itertools import product

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from conftest import ROOT
from matplotlib.image import imread
from safetensors.torch import load_file
from scratch import RUN, call, jobs, of_rule, planned, snakemake, twin

from intriguing import load_model
from intriguing.attack.minimal_norm import PAPER_START
from intriguing.stats.equivalence import SETTINGS

pytestmark = pytest.mark.slow

SEEDS = (0, 1)
COLUMNS = "row,column,value,low,high,n,seeds,published,verdict"
VERDICTS = {"agrees", "differs", "undecided"}
NOISE = ["noise-0.1", "noise-0.3"]
RECORD = (
    "index,label,target,reached,prediction,distortion,l2,linf,weight,iterations,"
    "evaluations,failure"
)


def sheet(name):
    with (ROOT / f"config/smoke-{name}.tsv").open(newline="") as lines:
        return {
            next(iter(row.values())): row
            for row in csv.DictReader(lines, delimiter="\t")
        }


# Those trained on splits have tables of their own.
WHOLE = {name: row for name, row in sheet("models").items() if row["split"] == "all"}
ON_SPLITS = [name for name in sheet("models") if name not in WHOLE]
PERCEPTRONS, ATTACKS = list(WHOLE), sheet("attacks")
CONVOLUTIONAL = sheet("convolutional")
MODELS = [*PERCEPTRONS, *CONVOLUTIONAL]
SEEDS_OF = {
    model: (0,) if row["family"] == "linear" else SEEDS for model, row in WHOLE.items()
}
SEEDS_OF |= {m: SEEDS[: int(row["seeds"])] for m, row in CONVOLUTIONAL.items()}
TRAINED = [(model, seed) for model, seeds in SEEDS_OF.items() for seed in seeds]
# Images of every seed are made for linear networks too, which have one seed.
DRAWN_FOR = SEEDS_OF | dict.fromkeys(PERCEPTRONS, SEEDS)
DRAWN = [(model, seed) for model, seeds in DRAWN_FOR.items() for seed in seeds]
ATTACKED = ("lbfgs", "minimal")
MADE = [f"lbfgs/{model}/{seed}" for model, seed in DRAWN]
MINIMA = [f"minimal/{model}/{seed}" for model, seed in DRAWN]
CONTROLS = [
    "clean",
    *(f"matched:{m}" for m in MODELS),
    *(f"{n}-clipped" for n in NOISE),
]
CHOICES = [*ATTACKS, "correct-only", "all-images"]
LENGTH = ["distortion", "distortion-mean"]
ERRORS = ["train-error", "test-error", *LENGTH]
WON = [f"won-by-{start}" for start in ("clean", "smoothed", "start-image", "paper")]
STARTS = [*WON, "unconverged"]
MINIMAL = ["distortion-lbfgs", "distortion-minimal", "ratio", "shorter", "ties"]
MINIMAL += STARTS
CHANGES = ["transfer-lbfgs", "transfer-minimal", "transfer-change"]
NO_SHARES = {"ratio", "transfer-change"}
AMPLIFIED = [f"amplified:{m}" for m in ON_SPLITS]
READINGS = (
    "matched",
    "amplified-clipped",
    "amplified-together",
    "literal",
    "times-1.4",
)
AMPLIFICATION = [
    "clean",
    *(f"{reading}:{m}" for reading in READINGS for m in ON_SPLITS),
    *("noise-0.06-clipped", "noise-0.1-clipped"),
]
DIFFERENT = ("other-architecture", "other-data", "other-both")
PAIRS = ["other-seed", *DIFFERENT, *(f"{d}-same-seed" for d in DIFFERENT), "noise"]
LENGTHS = [
    *(f"times-{n}" for n in (1, 1.25, 1.5, 1.75, 2, 2.5, 3)),
    *(f"matched-{n}" for n in (0.06, 0.08, 0.1, 0.12, 0.15, 0.18)),
]
BEYOND = ("transfer-decomposition",)
VARIANTS = ["FC100-100-10", "weight-decay", "dropout", "input-pool", "layer-pools"]
FIGURES = ("examples", "cross-model", "distortions", "spectra", "top-images")
FIGURES += ("cross-training-set", *BEYOND)
FIGURES += ("natural-basis", "units-path", "units-rotations", "sae")
FIGURES += ("box-constraint", "mean-value", "smoothness-shares", "smoothness-curves")
FIGURES += ("certified", "waterfall", "readings", "penalties", "depth")
FIGURES += ("superposition", "compact-proofs", "two-units")
LAYER_TABLES = ("units", "sae", "sae-perturbations", "sae-settings")
"""Tables of hidden layers, with signed numbers and many rows."""
OTHER_TABLES = ("smoothness", "bounds", "certified", "readings", "cross-model-coarse")
OTHER_TABLES += (
    "differences",
    "verdict-counts",
    "equal-length",
    *("heuristics", "penalties", "depth", "superposition", "compact-proofs"),
)
"""Tables whose rows or columns are of their own kind."""
LINEAR, SIGMOID = ("1e-2", "1"), ("FC100-100-10",)
PRODUCTS = ("product-of-norms", "product")
ALEXNET = (
    *("conv1", "pool1", "conv2", "pool2", "conv3", "conv4", "conv5", "pool3"),
    *("fc1", "fc2", "fc3"),
)
LAYER_COLUMNS = [
    *("in-channels", "out-channels", "kernel", "stride", "lower", "upper"),
    *("circular", "reshaped", "singla-feizi", "araujo", "printed"),
    *("printed-corrected", "smallest"),
]


def layers(count):
    """Name linear maps, and the sigmoids between them."""
    both = [name for i in range(1, count + 1) for name in (f"fc{i}", f"sigmoid{i}")]
    return both[:-1]


# Rows and columns of each table.
TABLES = {
    "models": (MODELS, ERRORS),
    "cross-model": ([*MODELS, *NOISE], [*MODELS, *LENGTH]),
    "cross-model-sample": ([*MODELS, *NOISE], [*MODELS, *LENGTH]),
    "controls": (CONTROLS, [*MODELS, *LENGTH]),
    "choices": (CHOICES, PERCEPTRONS),
    "minimal": (MODELS, MINIMAL),
    "minimal-transfer": (MODELS, [*MODELS, *LENGTH, *CHANGES]),
    "training-sets": (ON_SPLITS, ["error-P1", "error-P2", "test-error", *LENGTH]),
    "cross-training-set": (
        [*ON_SPLITS, "noise-0.06", *AMPLIFIED, "noise-0.1"],
        [*ON_SPLITS, *LENGTH],
    ),
    "amplification": (AMPLIFICATION, [*ON_SPLITS, *LENGTH]),
    "transfer-decomposition": (PAIRS, LENGTHS),
    "adversarial-training": (
        [*VARIANTS, *(f"amplified:{variant}" for variant in VARIANTS)],
        [*ERRORS, *VARIANTS],
    ),
    "spectral": (
        [
            *(f"FC10-{decay}/{row}" for decay in LINEAR for row in ("fc1", *PRODUCTS)),
            *(f"{m}/{row}" for m in SIGMOID for row in (*layers(3), *PRODUCTS)),
            *(f"AE400-10/{row}" for row in (*layers(2), *PRODUCTS)),
            *(f"alexnet-mnist/{row}" for row in (*ALEXNET, *PRODUCTS)),
        ],
        LAYER_COLUMNS,
    ),
}


@pytest.fixture(scope="session")
def known(smoke):
    """List the jobs of the finished run."""
    return jobs(smoke)


@pytest.fixture(scope="session")
def results(smoke):
    return smoke / RUN


@pytest.fixture(scope="session")
def networks(results):
    """Load every network by name and seed."""
    return {
        (m, s): load_model(results / f"models/{m}/{s}.safetensors") for m, s in TRAINED
    }


def table(results, name):
    return pd.read_csv(results / f"tables/{name}.csv")


def value(frame, row, column):
    (found,) = frame.loc[(frame["row"] == row) & (frame["column"] == column), "value"]
    return found


def made(results, name):
    """Return the tensors and the records of one attack on one network."""
    stem = results / "adversarial" / name
    return load_file(f"{stem}.safetensors"), pd.read_parquet(f"{stem}.parquet")


def test_a_finished_run_has_nothing_to_do(smoke, known):
    assert planned(known) == set()
    assert "Nothing to be done" in snakemake(smoke, "--dry-run")


def test_what_the_summary_plans_is_what_a_dry_run_would_do(smoke):
    """The other tests of plans rely on the summary."""
    shown = snakemake(smoke, "--dry-run", "--forceall")
    (total,) = {line for line in shown.splitlines() if line.startswith("total ")}
    known = jobs(smoke, "--forceall")
    assert planned(known) == set(known)
    # The target has no output, and so no line in the summary.
    assert int(total.split()[1]) == len(known) + len(["everything"])


def test_every_network_is_trained_and_attacked(known):
    rules = {
        m: "train_convolutional" if m in CONVOLUTIONAL else "train" for m in MODELS
    }
    assert {f"{rules[m]}/{m}/{s}" for m, s in TRAINED} <= set(known)
    assert {f"attack/{name}" for name in MADE} <= set(known)
    assert {f"attack_{name}" for name in MINIMA} <= set(known)
    assert {job.rule for job in known.values()} >= {"mnist", "transfer", "claims"}


def test_every_job_leaves_a_log_without_a_traceback_and_no_half_file(results):
    assert [path for path in results.rglob("*") if ".part" in path.name] == []
    logs = list((results / "logs").rglob("*.log"))
    assert logs
    for log in logs:
        text = log.read_text()
        assert "finished in" in text, log
        assert "Traceback" not in text, log


@pytest.mark.parametrize("name", TABLES)
def test_a_table_has_the_one_schema_and_its_rows_and_columns(results, name):
    text = (results / f"tables/{name}.csv").read_text()
    assert text.splitlines()[0] == COLUMNS
    frame, (rows, columns) = table(results, name), TABLES[name]
    assert list(frame["row"].unique()) == sorted(rows, key=list(frame["row"]).index)
    assert list(frame["column"].unique()) == columns
    assert not frame.duplicated(["row", "column"]).any()


@pytest.mark.parametrize("name", TABLES)
def test_the_numbers_of_a_table_are_possible(results, name):
    frame = table(results, name).dropna(subset="value")
    assert len(frame)
    assert (frame["value"] >= 0)[frame["column"] != "transfer-change"].all()
    assert (frame["low"].dropna() <= frame.loc[frame["low"].notna(), "value"]).all()
    assert (frame["high"].dropna() >= frame.loc[frame["high"].notna(), "value"]).all()
    rates = frame[~frame["column"].isin({*LENGTH, *NO_SHARES, *LAYER_COLUMNS})]
    assert (rates[["value", "low", "high"]].fillna(0) <= 1).all().all()
    assert (frame["n"].dropna() >= 1).all()
    assert frame["seeds"].dropna().between(1, len(SEEDS)).all()
    if name != "spectral":  # whose numbers are of layers
        # A mean over networks, fed different images, has no one count.
        counted = frame[~frame["column"].str.startswith("transfer-")]
        assert counted[["n", "seeds"]].notna().all(axis=None)


@pytest.mark.parametrize("name", LAYER_TABLES)
def test_a_table_of_layers_has_numbers_in_every_network(results, name):
    frame = table(results, name).dropna(subset="value")
    networks = {"AE400-10"} if name == "units" else set()
    if name != "sae-settings":
        networks |= {"FC100-100-10", "ReLU100-100-10"}
    assert networks <= {row.partition(":")[0] for row in frame["row"]}
    assert np.isfinite(frame[["value", "low", "high"]]).all(axis=None)
    assert not frame.duplicated(["row", "column"]).any()


@pytest.mark.parametrize("name", TABLES)
def test_a_number_of_the_paper_has_a_verdict_unless_it_is_a_setting(results, name):
    frame = table(results, name)
    both = frame["value"].notna() & frame["published"].notna()
    judged = frame["verdict"].notna()
    assert set(frame.loc[judged, "verdict"]) <= VERDICTS
    assert not (judged & ~both).any()
    silent = frame[both & ~judged]
    own_images = silent["row"] == silent["column"]
    level = (silent["column"] == "distortion") & silent["row"].str.match("noise|amplif")
    size = silent["column"].isin(set(SETTINGS) - {"distortion"})
    assert (own_images | level | size).all()


@pytest.mark.parametrize("name", TABLES)
def test_a_table_is_there_in_every_form(results, name):
    rows, columns = TABLES[name]
    for kind, sign in {"md": "| --- |", "tex": r"\toprule", "html": "</table>"}.items():
        text = (results / f"tables/{name}.{kind}").read_text().replace(r"\_", "_")
        assert all(part in text for part in (*rows, *columns, sign)), kind


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_there_in_three_forms_that_open(results, name):
    height, width, _ = imread(results / f"figures/{name}.png").shape
    assert min(height, width) > 200
    root = ElementTree.parse(results / f"figures/{name}.svg").getroot()
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    pdf = (results / f"figures/{name}.pdf").read_bytes()
    assert pdf.startswith(b"%PDF-")
    assert pdf.rstrip().endswith(b"%%EOF")


def test_every_claim_has_its_numbers_and_a_verdict(results):
    claims = json.loads((results / "claims.json").read_text())
    keys = "id,statement,published,measured,low,high,verdict,evidence"
    assert len({claim["id"] for claim in claims}) == len(claims) > 0
    for claim in claims:
        assert ",".join(claim) == keys
        assert claim["verdict"] in VERDICTS
        assert claim["low"] <= claim["measured"] <= claim["high"]
        assert claim["statement"]
        place = claim["evidence"].partition(":")[0]
        assert (results / place).exists() or (results / f"{place}.csv").exists()


def test_metrics_are_nested_by_table_and_equal_to_it(results):
    metrics = json.loads((results / "metrics.json").read_text())
    claims = json.loads((results / "claims.json").read_text())
    assert metrics["claims"] == {claim["id"]: claim["verdict"] for claim in claims}
    for name in ("models", "cross-model", "choices", "cross-training-set"):
        frame = table(results, name).dropna(subset="value")
        nested = metrics["tables"][name]
        assert sum(map(len, nested.values())) == len(frame)
        for row in frame.itertuples():
            assert nested[row.row][row.column] == row.value


def test_provenance_names_the_commit_and_every_rule(smoke, results, known):
    facts = json.loads((results / "provenance.json").read_text())
    head = call(smoke, "git", "rev-parse", "HEAD").strip()
    assert (facts["commit"], facts["dirty"]) == (head, False)
    counts = {rule: cost["jobs"] for rule, cost in facts["rules"].items()}
    rules = [job.rule for job in known.values()]
    assert counts == {rule: rules.count(rule) for rule in rules}
    for key in ("config", "config_digest", "lock_digest", "versions", "device"):
        assert facts[key]


@pytest.mark.parametrize("name", [*MADE, *MINIMA])
def test_stored_images_are_the_digits_they_say_and_stay_in_the_box(
    results, digits, name
):
    stored, records = made(results, name)
    count = len(records)
    for images in ("clean", "adversarial"):
        assert stored[images].shape == (count, 1, 28, 28)
        assert stored[images].dtype == torch.float32
        assert 0 <= stored[images].min() <= stored[images].max() <= 1
    for numbers in ("label", "target", "index"):
        assert stored[numbers].shape == (count,)
        assert stored[numbers].dtype == torch.int64
        assert stored[numbers].tolist() == records[numbers].tolist()
    assert set(stored) == {"clean", "adversarial", "label", "target", "index"}
    pixels, labels = digits["train"]
    drawn = stored["index"].numpy()
    assert len(set(drawn)) == count
    np.testing.assert_array_equal(stored["label"], labels[drawn])
    np.testing.assert_allclose(stored["clean"], pixels[drawn] / 255, atol=1e-7)


@pytest.mark.parametrize("name", [*MADE, *MINIMA])
def test_records_are_what_a_plain_forward_pass_and_a_subtraction_give(
    results, networks, name
):
    stored, records = made(results, name)
    assert [c for c in records if c in RECORD.split(",")] == RECORD.split(",")
    _, model, seed = name.split("/")
    with torch.no_grad():
        network = networks.get((model, int(seed))) or networks[model, 0]
        answers = network(stored["adversarial"]).argmax(1)
    assert records["prediction"].tolist() == answers.tolist()
    assert records["reached"].tolist() == (answers == stored["target"]).tolist()
    assert (records["failure"] == "").tolist() == records["reached"].tolist()
    shift = (stored["adversarial"] - stored["clean"]).double().flatten(1)
    measured = {
        "distortion": shift.square().mean(1).sqrt(),
        "l2": shift.norm(dim=1),
        "linf": shift.abs().amax(1),
    }
    for column, expected in measured.items():
        np.testing.assert_allclose(records[column], expected, rtol=1e-5)
    assert (stored["target"] != stored["label"]).all()


@pytest.mark.parametrize(
    "name", [f"{a}/{m}/0" for a in ATTACKS if a != "lbfgs" for m in PERCEPTRONS]
)
def test_the_other_attacks_take_the_same_images(results, name):
    attack, model, _ = name.split("/")
    if ATTACKS[attack]["models"] not in ("all", model):
        assert not (results / "adversarial" / attack / model).exists()
        return
    stored, records = made(results, name)
    reference, _ = made(results, f"lbfgs/{model}/0")
    assert records["reached"].any()
    assert torch.equal(stored["clean"], reference["clean"][: len(records)])


@pytest.mark.parametrize(("new", "old"), list(zip(MINIMA, MADE, strict=True)))
def test_no_minimal_perturbation_is_longer_than_the_papers(results, new, old):
    shortest, records = made(results, new)
    paper, before = made(results, old)
    for given in ("clean", "label", "target", "index"):
        assert torch.equal(shortest[given], paper[given])
    assert records["reached"].all()
    ratio = records["distortion"] / before["distortion"]
    assert (ratio <= 1 + 1e-5).all()
    assert (ratio < 0.999).any()


def test_ties_and_starts_are_those_of_the_records(results):
    frame = table(results, "minimal")
    for model, seeds in DRAWN_FOR.items():
        own = pd.concat([made(results, f"minimal/{model}/{s}")[1] for s in seeds])
        shares = ("ties", *STARTS)
        found = {column: value(frame, model, column) for column in shares}
        assert found["ties"] == pytest.approx((own["tied"] >= 2).mean(), abs=1e-6)
        assert found["won-by-paper"] == pytest.approx(
            (own["start"] == PAPER_START).mean(), abs=1e-6
        )
        assert sum(found[name] for name in WON) == pytest.approx(1, abs=1e-5)


def test_the_change_of_transfer_is_what_stored_networks_answer(results, networks):
    """Of images that the network answers rightly, the share fooled, the two apart."""
    changes = []
    for source, column in product(PERCEPTRONS, PERCEPTRONS):
        seeds = []
        for seed in DRAWN_FOR[source] if source != column else ():
            paper, new = (made(results, f"{a}/{source}/{seed}")[0] for a in ATTACKED)
            network = networks.get((column, seed)) or networks[column, 0]
            answers = [
                network(images).argmax(1) != paper["label"]
                for images in (
                    paper["clean"],
                    *(s["adversarial"] for s in (paper, new)),
                )
            ]
            wrong, old, short = (one.double() for one in answers)
            seeds.append(((short - old)[wrong == 0]).mean().item())
        changes += [np.mean(seeds)] if seeds else []
    (claim,) = json.loads((results / "claims/minimal.json").read_text())
    assert claim["id"] == "minimal-less-paper-transfer"
    assert claim["measured"] == pytest.approx(np.mean(changes), abs=1e-5)


@pytest.fixture(scope="session")
def recomputed(results, networks):
    """Feed stored images to stored networks; count answers other than the label."""
    wrong = {}
    for (source, seed), column in product(DRAWN, MODELS):
        stored, _ = made(results, f"lbfgs/{source}/{seed}")
        network = networks.get((column, seed)) or networks[column, 0]
        with torch.no_grad():
            answers = network(stored["adversarial"]).argmax(1)
        wrong.setdefault((source, column), []).append(answers != stored["label"])
    return {
        cell: torch.cat(parts).double().mean().item() for cell, parts in wrong.items()
    }


def test_transfer_is_what_stored_networks_answer_to_stored_images(results, recomputed):
    frame = table(results, "cross-model")
    for (row, column), share in recomputed.items():
        assert value(frame, row, column) == pytest.approx(share, abs=1e-6), (
            row,
            column,
        )


def test_the_enclosure_of_every_layer_is_one(results):
    frame = table(results, "spectral")
    wide = frame.pivot(index="row", columns="column", values="value").dropna(
        subset="lower"
    )
    assert len(wide) > 20
    assert (wide["lower"] <= wide["upper"]).all()
    assert (wide["upper"] <= 1.01 * wide["lower"]).all()
    for name in ("singla-feizi", "araujo"):
        bounds = wide.dropna(subset=name)
        assert (bounds[name] >= bounds["lower"] * 0.999).all()


def test_linear_layers_have_the_largest_singular_value_of_the_stored_weights(
    results, networks
):
    network = networks["FC100-100-10", 0], networks["FC100-100-10", 1]
    norms = [torch.linalg.svdvals(n[1].weight.double()).max() for n in network]
    found = value(table(results, "spectral"), "FC100-100-10/fc1", "upper")
    assert found == pytest.approx(float(sum(norms) / 2), rel=1e-5)


def test_every_network_is_fooled_by_all_images_made_for_it(results):
    frame = table(results, "cross-model")
    assert {value(frame, model, model) for model in MODELS} == {1.0}


def test_table_1_is_what_stored_networks_answer_to_the_digits(
    results, networks, digits
):
    pixels, labels = (part[:600] for part in digits["train"])
    frame = table(results, "models")
    for model, seeds in SEEDS_OF.items():
        with torch.no_grad():
            wrong = [
                networks[model, s](pixels / 255).argmax(1) != labels for s in seeds
            ]
        share = torch.cat(wrong).double().mean().item()
        assert value(frame, model, "train-error") == pytest.approx(share, abs=1e-6)


@pytest.mark.parametrize("model", MODELS)
def test_distortions_are_averaged_over_the_pixels_of_the_fooling_images(results, model):
    seeds = [made(results, f"lbfgs/{model}/{s}")[1] for s in DRAWN_FOR[model]]
    fooling = [r.loc[r["reached"], "distortion"].astype(float) for r in seeds]
    pooled = np.mean([(own**2).mean() for own in fooling]) ** 0.5
    means = np.mean([own.mean() for own in fooling])
    for column, expected in zip(LENGTH, (pooled, means), strict=True):
        found = value(table(results, "models"), model, column)
        assert found == pytest.approx(expected, rel=1e-5)


@pytest.fixture(scope="session")
def report(smoke, tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "report.html"
    snakemake(smoke, "--report", path)
    return path.read_text()


@pytest.fixture(scope="session")
def shown(report):
    """Return everything that the report shows, by path."""
    place = re.search(r'var results = (?=\{"results/)', report)
    return json.JSONDecoder().raw_decode(report[place.end() :])[0]


def embedded(item):
    return b64decode(item["data_uri"].partition("base64,")[2])


def test_the_report_shows_every_table_figure_and_claim_with_a_caption(shown):
    tables = (*TABLES, *LAYER_TABLES, *OTHER_TABLES)
    pages = {f"{RUN}/tables/{name}.html" for name in tables} | {f"{RUN}/claims.html"}
    beyond = (*BEYOND, "adversarial-training", "minimal", "units", "equal-length")
    pages |= {f"{RUN}/claims/{name}.html" for name in beyond}
    drawings = {f"{RUN}/figures/{name}.svg" for name in FIGURES}
    assert set(shown) == pages | drawings
    for path, item in shown.items():
        assert len(item["caption"]) > 80, path
        assert "{{" not in item["caption"], path
        assert item["labels"], path


def test_the_report_is_whole_in_one_file(results, shown, report):
    for path, item in shown.items():
        assert embedded(item) == (results.parents[1] / path).read_bytes()
    assert re.findall(r"<(?:script|link|img)[^>]+(?:src|href)=[\"']http", report) == []


def test_the_report_has_the_numbers_of_the_tables(shown, results):
    page = embedded(shown[f"{RUN}/tables/cross-model.html"]).decode()
    for row in table(results, "cross-model").dropna(subset="value").itertuples():
        if row.column not in LENGTH and row.value >= 0.1:
            assert f"{100 * row.value:.1f}%" in page, (row.row, row.column)


def test_dvc_and_git_hold_all_that_everything_makes(known):
    """A file that neither has would be missing in every clone."""
    text = (ROOT / "dvc.yaml").read_text().replace("results/paper", RUN)
    stage = yaml.safe_load(text)["stages"]["paper"]
    entries = [*stage["outs"], *stage["metrics"]]
    assert all(next(iter(entry.values()))["persist"] for entry in entries)
    held = tuple(next(iter(entry)) for entry in entries)
    made = set().union(*(job.outputs for job in known.values()))
    assert f"{RUN}/claims/training-sets.json" in made
    assert [name for name in made if not name.startswith(held)] == []


def test_changes_beyond_the_paper_rerun_nothing_of_the_paper(smoke, tmp_path):
    tree = twin(smoke, tmp_path / "tree")
    modules = ("attack/never_longer", "adversarial_training/fit", "transfer/asymmetry")
    for module in modules:
        with (tree / f"src/intriguing/{module}.py").open("a") as code:
            code.write("\n\nADDED = 1\n")
    known = jobs(tree)
    plan = planned(known)
    beyond = ("attack_minimal", "train_variant", "table_transfer_decomposition")
    assert of_rule(known, *beyond) <= plan
    assert not plan & of_rule(known, "mnist", "train", "attack", "transfer", "claims")
