"""What the workflow says, before any job, about input that cannot be right."""

import shutil

import pytest
from conftest import ROOT
from scratch import attempt, python

WRONG_MODEL = "lbfgs\tlbfgs\tsquared\trefine\trandom\tFC1\tall\tall\n"


@pytest.fixture
def work(tmp_path):
    """Make a folder to run in, with settings of its own."""
    shutil.copytree(ROOT / "config", tmp_path / "config")
    (tmp_path / "data").mkdir()
    for table in (ROOT / "data").glob("*.tsv"):
        shutil.copy(table, tmp_path / "data")
    return tmp_path


def dry_run(work, *options):
    """Ask what would be done; return the exit status and all that is shown."""
    command = ("snakemake", "-n", "--snakefile", ROOT / "Snakefile", *options)
    return attempt(work, *python(*command))


def config(text):
    def spoil(work):
        (work / "config/config.yaml").write_text(text)

    return spoil


def unknown_model(work):
    sheet = work / "config/attacks.tsv"
    header = sheet.read_text().splitlines(keepends=True)[0]
    sheet.write_text(header + WRONG_MODEL)


def file_for_folder(work):
    (work / "results").write_text("")


def lost_records(work):
    product = work / "results/paper/models/FC10-1/0.safetensors"
    product.parent.mkdir(parents=True)
    product.write_text("")


@pytest.mark.parametrize(
    ("spoil", "parts"),
    [
        (config("attack: {imagess: 3}"), ["attack.imagess", "attack.images?"]),
        (unknown_model, ["config/attacks.tsv", "row lbfgs", "'FC1'", "AE400-10"]),
        (file_for_folder, ["results/paper: ", "is no folder; move that file away"]),
        (lost_records, ["results/paper/models", ".snakemake/metadata", "dvc pull"]),
    ],
    ids=["misspelt key", "unknown model", "file", "lost records"],
)
@pytest.mark.fault("A run is asked for with input that cannot be right", "everything")
def test_wrong_input_is_one_line_and_no_traceback(work, spoil, parts, request, seen):
    spoil(work)
    status, shown = dry_run(work)
    assert status != 0
    assert "Traceback" not in shown
    telling = [line for line in shown.splitlines() if parts[0] in line]
    assert len(telling) == 1
    seen(telling[0], request.node.callspec.id)
    assert all(part in telling[0] for part in parts), shown
    assert not (work / "results/paper/logs").exists()


@pytest.mark.fault("Another Snakefile uses this one as a module", "everything")
def test_use_as_a_module_of_another_workflow_is_refused_in_one_line(tmp_path, seen):
    text = f'module ours:\n    snakefile: "{ROOT / "Snakefile"}"\n'
    (tmp_path / "Snakefile").write_text(text + "use rule * from ours\n")
    status, shown = attempt(tmp_path, *python("snakemake", "-n"))
    assert status != 0
    assert "\nThis workflow cannot be a module of another; run it by itself" in shown
    seen(next(line for line in shown.splitlines() if "This workflow" in line))
    assert "Traceback" not in shown
