"""docs/files.md describes the files that a run writes, and its example runs on one."""

import re

import matplotlib as mpl
import pytest
import torch
from conftest import ROOT
from parsed import parsed_rules
from safetensors.torch import save_file
from torch import nn

from intriguing.attack import find_adversarial
from intriguing.attack.sampled import Sample, attack_sample
from intriguing.models.perturbed import predictions_on
from intriguing.tables.tidy import COLUMNS

PAGE = (ROOT / "docs/files.md").read_text(encoding="utf-8")


def names_in(section, table):
    """Return the names in the first column of a table of a section."""
    own = PAGE.partition(f"## {section}\n")[2].partition("\n## ")[0]
    rows = re.split(r"^\|---.*$", own, flags=re.MULTILINE)[table + 1]
    cells = [line.split("|")[1] for line in rows.splitlines() if line.startswith("|")]
    return [name for cell in cells for name in re.findall(r"`([^`]*)`", cell)]


@pytest.fixture(scope="module")
def made():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(16, 3)).eval()
    labels, index = torch.tensor([0, 1, 2, 0]), torch.arange(4)
    sample = Sample(torch.rand(4, 1, 4, 4), labels, index)
    return attack_sample(model, sample, "random", 0, find_adversarial)


def test_the_keys_of_adversarial_images_are_those_of_the_page(made):
    tensors, _ = made
    assert set(names_in("Adversarial images", 0)) == set(tensors)


def test_the_columns_of_the_records_are_those_of_the_page(made):
    _, records = made
    assert set(names_in("Adversarial images", 1)) == set(records)


def test_the_columns_of_a_table_are_those_of_the_page():
    assert set(names_in("Tables", 0)) == set(COLUMNS)


def test_the_columns_of_predictions_are_those_of_the_page():
    clean = torch.rand(2, 1, 4, 4)
    networks = {"FC": nn.Sequential(nn.Flatten(), nn.Linear(16, 3))}
    known = {"seed": 0, "label": torch.tensor([0, 1]), "index": torch.arange(2)}
    found = predictions_on(networks, {"clean": clean}, clean, known)
    assert set(names_in("Predictions", 0)) == set(found)


def test_every_folder_of_a_run_is_on_the_page(tmp_path):
    rules = parsed_rules(tmp_path).values()
    paths = [str(path) for rule in rules for path in (*rule.output, *rule.log)]
    written = {path.split("/")[2].split(".")[0] for path in paths if "/" in path}
    described = re.findall(r"`([a-z]+)[/.]", PAGE.partition("\n## ")[0])
    assert written <= set(described)


def test_the_example_draws_a_stored_image(made, tmp_path, monkeypatch):
    tensors, _ = made
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    (path,) = re.findall(r'load_file\("(.*?)"\)', code)
    (tmp_path / path).parent.mkdir(parents=True)
    save_file(tensors, tmp_path / path)
    monkeypatch.chdir(tmp_path)
    with mpl.rc_context({"backend": "agg"}):
        exec(code, {})
    assert (tmp_path / "digit.png").stat().st_size > 0
