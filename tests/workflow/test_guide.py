"""docs/reusing-the-digest.md, followed to the letter in an empty folder."""

import re
import shutil

import pytest
from conftest import ROOT
from scratch import attempt, call, edit, python

pytestmark = pytest.mark.slow

GUIDE = (ROOT / "docs/reusing-the-digest.md").read_text()
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)
# The reader's own workflow: a step, a module beside it, a package with a package in it.
OWN = {
    "config.yaml": "models: [a, b]\nsteps: 3\nrate: 0.5\n",
    "scripts/train.py": (
        '"""Train."""\n\nimport beside\nfrom net.parts import layers\n\n'
        'with open(snakemake.output[0], "w") as file:\n'
        "    print(layers.width(), beside.FACTOR, snakemake.params, file=file)\n"
    ),
    "scripts/beside.py": "FACTOR = 2\n",
    "src/net/__init__.py": "",
    "src/net/parts/__init__.py": "",
    "src/net/parts/layers.py": "from ..sizes import width\n",
    "src/net/sizes.py": "def width():\n    return 3\n",
}


def block(language, text):
    (found,) = (body for kind, body in BLOCKS if kind == language and text in body)
    return found


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Set up the workflow as the guide says, and run it."""
    place = tmp_path_factory.mktemp("guide") / "own"
    shutil.copytree(ROOT / "src/content_reruns", place / "content_reruns")
    files = OWN | {
        "profiles/default/profile.yaml": block("yaml", "rerun-triggers"),
        "Snakefile": block("python", "rule train") + block("python", "require_records"),
    }
    for name, text in files.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(text)
    call(place, *python("snakemake", "--cores", "1"))
    return place


@pytest.fixture
def own(finished, tmp_path):
    return shutil.copytree(finished, tmp_path / "own")


def plan(own):
    return attempt(own, *python("snakemake", "--dry-run"))[1]


def test_what_the_guide_builds_runs_once_and_a_remark_reruns_nothing(own):
    assert "3 2" in (own / "results/a.txt").read_text()
    path = own / "src/net/sizes.py"
    path.write_text(f'"""Sizes."""\n\n# A remark.\n{path.read_text()}')
    assert "Nothing to be done" in plan(own)


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("src/net/sizes.py", "3", "4"),
        ("scripts/beside.py", "2", "3"),
        ("config.yaml", "0.5", "0.25"),
    ],
)
def test_a_change_reruns_the_step(own, name, old, new):
    edit(own / name, old, new)
    assert re.search(r"^train +2$", plan(own), re.MULTILINE)


def test_a_data_file_beside_a_module_is_asked_for_and_then_counts(own):
    reader, table = own / "src/net/sizes.py", own / "src/net/table.tsv"
    with reader.open("a") as text:
        text.write("\nfrom pathlib import Path\n\nTABLE = Path(__file__).parent\n")
    assert "src/net/sizes.py:6: asks for files beside the module" in plan(own)
    with reader.open("a") as text:
        text.write('DIGESTED_FILES = ("table.tsv",)\n')
    table.write_text("one\n")
    call(own, *python("snakemake", "--cores", "1"))
    assert "Nothing to be done" in plan(own)
    table.write_text("two\n")
    assert re.search(r"^train +2$", plan(own), re.MULTILINE)


def test_an_import_under_a_computed_name_is_reported(own):
    with (own / "scripts/beside.py").open("a") as text:
        text.write("\nimport importlib\n\nload = importlib.import_module\n")
    assert "scripts/beside.py:5: the digest cannot see" in plan(own)


def test_dvc_stores_and_restores_results_with_their_records(own):
    (own / "dvc.yaml").write_text(block("yaml", "stages:"))
    call(own, "git", "init", "--quiet")
    call(own, *python("dvc", "init", "--quiet"))
    call(own, *python("dvc", "config", "cache.type", "reflink,copy"))
    call(own, *python("dvc", "repro", "--quiet"))
    shutil.rmtree(own / "results")
    shutil.rmtree(own / ".snakemake/metadata")
    call(own, *python("dvc", "checkout", "--force", "--quiet"))
    assert (own / "results/a.txt").is_file()
    assert "Nothing to be done" in plan(own)


def test_results_without_records_are_refused(own):
    shutil.rmtree(own / ".snakemake")
    assert "outputs without Snakemake's records" in plan(own)
