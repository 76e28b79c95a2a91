"""The package as a user meets it: what importing it offers and what it costs."""

import tomllib

import pytest
import torch
import yaml
from conftest import ROOT
from jaxtyping import TypeCheckError
from scratch import fresh_python

import intriguing
from content_reruns import reached_modules

LIBRARY = ROOT / "src/intriguing"


def test_importing_the_package_imports_no_library_and_offers_the_attack():
    heavy = {"numpy", "pandas", "scipy", "torch"}
    code = f"import sys, intriguing; print({heavy} & sys.modules.keys() or 'none')\n"
    code += "print(intriguing.attack.find_adversarial.__name__)"
    assert fresh_python("-c", code).split() == ["none", "find_adversarial"]


@pytest.mark.parametrize("name", intriguing.__all__)
def test_every_name_that_is_offered_exists(name):
    offered = getattr(intriguing, name)
    assert offered.__name__ in {name, f"intriguing.{name}"}
    assert name in dir(intriguing)


def test_a_name_that_is_not_there_is_missed_by_name():
    with pytest.raises(AttributeError, match="find_adversarials"):
        _ = intriguing.find_adversarials


@pytest.mark.parametrize(
    ("step", "reached"),
    [
        ("import intriguing", set()),
        ("from intriguing import load_model", {"models", "errors.py"}),
        ("import intriguing\nintriguing.stats.wilson", {"stats"}),
    ],
)
def test_a_step_depends_on_what_it_asks_the_package_for(step, reached, tmp_path):
    (tmp_path / "step.py").write_text(step)
    paths = set(reached_modules(tmp_path / "step.py", [LIBRARY.parent]))
    paths -= {tmp_path / "step.py", LIBRARY / "__init__.py"}
    assert {path.relative_to(LIBRARY).parts[0] for path in paths} == reached


def test_shapes_are_checked_under_test():
    with pytest.raises(TypeCheckError, match="images"):
        intriguing.data.to_pixels(torch.zeros(2, 784, dtype=torch.uint8))


def test_citation_changelog_and_package_agree():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    changes = (ROOT / "CHANGELOG.md").read_text()
    headings = [line for line in changes.splitlines() if line.startswith("## ")]
    assert citation["version"] == intriguing.__version__
    assert headings[0].startswith(f"## {intriguing.__version__},")
    assert citation["license"] == project["license"]
    assert citation["authors"] == project["authors"]
