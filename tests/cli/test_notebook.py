"""The notebook on the reader's own network runs, cell by cell."""

import json

import pytest
from conftest import ROOT

NOTEBOOK = ROOT / "docs/notebooks/own-model.ipynb"


@pytest.mark.slow
def test_the_notebook_runs_and_its_numbers_are_sensible(
    mnist_raw, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "agg")
    (tmp_path / "data/MNIST").mkdir(parents=True)
    (tmp_path / "data/MNIST/raw").symlink_to(mnist_raw)
    cells = json.loads(NOTEBOOK.read_text())["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    names = {}
    for source in code:
        exec(source, names)
    assert len(cells) == 10
    network, clean = names["network"], names["clean"]
    assert names["accuracy"](network, clean, names["truth"]) == 1
    assert names["found"].reached.all()
    assert (names["found"].distortion < 0.2).all()
    bound = names["network_norms"](network, (1, 28, 28)).product.upper
    lengths = (names["found"].images - clean).flatten(1).norm(dim=1)
    moved = (network(names["found"].images) - network(clean)).norm(dim=1)
    assert (moved <= bound * lengths).all()
    names["figure"].savefig(tmp_path / "figure.png")
