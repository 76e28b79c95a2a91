"""What every rule of the workflow must say."""

import re

import pytest
from conftest import ROOT

FILES = sorted((ROOT / "workflow/rules").glob("*.smk"))
TEXT = "\n".join(path.read_text() for path in FILES)
# From one rule to the next; functions in between belong to none.
RULES = dict(re.findall(r"^rule (\w+):\n((?:    .*\n|\n)+)", TEXT, re.MULTILINE))
STEPS = {name: text for name, text in RULES.items() if "    script:\n" in text}


def test_there_are_rules():
    assert {"digits", "halves", "train", "attack"} <= set(STEPS)


@pytest.mark.parametrize("name", STEPS)
def test_params_are_the_code_and_what_the_step_takes_from_the_config(name):
    """Snakemake compares params without their names, so that one dict holds all."""
    script = re.search(r'step\("([\w/]+\.py)"\)', STEPS[name])[1]
    assert f'code=digest("{script}"),' in STEPS[name]
    params = re.search(r"    params:\n((?:        .*\n)+)", STEPS[name])[1]
    names = re.findall(r"^        (\w+)=", params, re.MULTILINE)
    takes = "snakemake.params" in (ROOT / "scripts" / script).read_text()
    assert sorted(names) == (["code", "settings"] if takes else ["code"])


@pytest.mark.parametrize("name", STEPS)
def test_log_time_memory_and_message_are_said(name):
    for directive in ("log", "benchmark", "resources", "message"):
        assert f"    {directive}:\n" in STEPS[name]
    for resource in ("mem_mb=", "runtime="):
        assert resource in STEPS[name]


@pytest.mark.parametrize("name", STEPS)
def test_every_job_takes_one_core(name):
    """BLAS takes its threads from Snakemake, and results depend on their number."""
    assert "    threads: 1\n" in STEPS[name]


@pytest.mark.parametrize("name", STEPS)
def test_no_output_is_a_folder(name):
    """Snakemake makes no checksum of a folder."""
    assert "directory(" not in STEPS[name]


@pytest.mark.parametrize(
    "path", sorted((ROOT / "scripts").rglob("*.py")), ids=lambda p: p.name
)
def test_no_step_reads_what_is_not_handed_to_it(path):
    text = path.read_text()
    assert "snakemake.config" not in text
    assert "snakemake.threads" not in text
