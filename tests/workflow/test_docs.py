"""The pages of docs/ build, and a warning is an error."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from record_faults import PAGE, marked_tests

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_the_pages_build_without_a_warning(tmp_path):
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going"]
    built = subprocess.run(
        [*command, "-d", tmp_path / "doctrees", ROOT / "docs", tmp_path / "html"],
        capture_output=True,
        text=True,
    )
    assert built.returncode == 0, built.stderr
    pages = {path.stem for path in (ROOT / "docs").glob("*.md")}
    assert pages == {path.stem for path in (tmp_path / "html").glob("*.html")} - {
        "genindex",
        "py-modindex",
        "search",
    }


def test_the_page_of_faults_has_every_test_that_tries_one():
    text = PAGE.read_text(encoding="utf-8")
    named = re.findall(r"`(test_\w+)`", " ".join(re.findall(r"Tried by .*", text)))
    refresh = "refresh it: python tests/record_faults.py"
    assert sorted(named) == sorted(marked_tests()), refresh
