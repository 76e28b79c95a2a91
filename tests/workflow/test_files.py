import subprocess
import sys

import pytest

from intriguing.workflow.files import remove_leftovers, replacing, write_text

WRITER = """
import sys, time
from intriguing.workflow.files import replacing
with replacing(sys.argv[1]) as temporary:
    temporary.write_text("half")
    print(temporary, flush=True)
    time.sleep(600)
"""


@pytest.fixture
def writer(tmp_path):
    place = tmp_path / "tables/models.csv"
    command = [sys.executable, "-c", WRITER, str(place)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout.readline().strip().startswith(str(place.parent))
        yield running
        running.kill()


def names(folder):
    return {path.name for path in folder.rglob("*") if path.is_file()}


def test_a_file_is_whole_or_not_there(tmp_path):
    with pytest.raises(ZeroDivisionError), replacing(tmp_path / "a.csv") as temporary:
        temporary.write_text("half")
        1 / 0  # noqa: B018
    assert names(tmp_path) == set()


def test_what_a_killed_writer_left_is_removed(tmp_path, writer):
    write_text(tmp_path / "tables/.hidden.part.csv", "not ours")
    assert len(names(tmp_path)) == 2
    writer.kill()
    writer.wait()
    assert len(remove_leftovers(tmp_path)) == 1
    assert names(tmp_path) == {".hidden.part.csv"}


def test_what_a_writer_is_at_stays(tmp_path, writer):
    assert remove_leftovers(tmp_path) == []
    assert len(names(tmp_path)) == 1


def test_names_without_a_suffix_are_removed_as_well(tmp_path, writer):
    writer.kill()
    writer.wait()
    (path,) = (tmp_path / "tables").iterdir()
    path.rename(path.with_suffix(""))
    assert len(remove_leftovers(tmp_path)) == 1
