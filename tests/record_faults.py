"""Try every fault and write into docs/faults.md what a user sees of it.

    INTRIGUING_MIRROR=… python tests/record_faults.py   quarter of an hour

The faults are tried by the tests with the mark `fault`, which record messages by the
fixture `seen`. The list is written only if all of them pass, and none is skipped.
"""

import ast
import os
import re
import sys
from pathlib import Path

import pytest
from shown import shortened

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs/faults.md"
KILLS = "20"

# What differs from run to run, or from machine to machine.
VARIES = {
    r"/\S*?/pytest-of-\w+/pytest-\d+/(?:popen-gw\d+/)?[\w-]+": "…",
    re.escape(f"{ROOT}/"): "",
    re.escape(str(Path(sys.executable).parent)) + "/": "",
    r"(127\.0\.0\.1:)\d{4,5}": r"\1PORT",
    r"\.fetch-\w+": ".fetch-…",
    r"\.\d+(\.part)": r".…\1",
    r"\b(jobid:|Job ID:) *\S+": r"\1 …",
}


class Recorder:
    """Collects what tests saw, in the order of the tests.

    Attributes:
        rows: Test and record of each message.
        failed: Names of the tests that failed or were skipped.
    """

    def __init__(self) -> None:
        self.rows: list[tuple[str, dict[str, str]]] = []
        self.failed: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if not report.passed:
            self.failed.append(report.nodeid)
        elif report.when == "call":
            name = report.location[2].partition("[")[0]
            found = [entry for key, entry in report.user_properties if key == "seen"]
            self.rows += [(name, entry) for entry in found]
            if not found:
                self.failed.append(f"{report.nodeid} recorded nothing")


def marked_tests() -> list[str]:
    """Return the names of the tests that try a fault, read from their files."""
    texts = [path.read_text() for path in ROOT.glob("tests/**/test_*.py")]
    return [
        node.name
        for text in texts
        if "mark.fault" in text
        for node in ast.parse(text).body
        if isinstance(node, ast.FunctionDef)
        and any("mark.fault" in ast.unparse(mark) for mark in node.decorator_list)
    ]


def normalised(message: str) -> str:
    """Return a message without what differs from run to run or says nothing."""
    for pattern, standing_for in VARIES.items():
        message = re.sub(pattern, standing_for, message)
    return shortened(message).strip()


def in_cell(text: str) -> str:
    """Return a text as code in the cell of a table."""
    return f"`{' '.join(text.split())}`".replace("|", r"\|")


def in_block(message: str) -> str:
    """Return a message as a block of its own."""
    return f"```text\n{message}\n```\n" if message else "Nothing is shown.\n"


def section(rows: list[tuple[str, dict[str, str]]]) -> str:
    """Return what the page says about one fault."""
    name, kept = rows[0][1]["fault"], rows[0][1]["kept"]
    tests = ", ".join(dict.fromkeys(f"`{test}`" for test, _ in rows))
    plain = [normalised(entry["message"]) for _, entry in rows if not entry["case"]]
    blocks = [in_block(message) for message in dict.fromkeys(plain)]
    cases = {
        entry["case"]: in_cell(normalised(entry["message"]))
        for _, entry in rows
        if entry["case"]
    }
    lines = [f"| {in_cell(case)} | {message} |" for case, message in cases.items()]
    if lines:
        header = ["| case | what you see |", "| --- | --- |"]
        blocks.append("\n".join([*header, *lines]) + "\n")
    said = "\n".join(blocks)
    return f"## {name}\n\n{said}\nKept: {kept}. Tried by {tests}.\n"


def sections(rows: list[tuple[str, dict[str, str]]]) -> str:
    """Return what the page says about all faults."""
    faults: dict[str, list[tuple[str, dict[str, str]]]] = {}
    for test, entry in rows:
        faults.setdefault(entry["fault"], []).append((test, entry))
    return "\n".join(map(section, faults.values()))


def main() -> None:
    os.environ["KILLS"] = KILLS
    recorder = Recorder()
    pytest.main(["-q", "-m", "fault", str(ROOT / "tests")], [recorder])
    if recorder.failed or not recorder.rows:
        sys.exit(f"not written, as these did not pass: {recorder.failed}")
    from intriguing.workflow.markdown import refreshed  # on the path once tests ran

    blocks = {"faults": lambda: sections(recorder.rows)}
    PAGE.write_text(refreshed(PAGE.read_text("utf-8"), blocks), encoding="utf-8")


if __name__ == "__main__":
    main()
