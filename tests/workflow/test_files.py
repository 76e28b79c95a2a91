import subprocess
import sys
from base64 import b64encode

import pytest

from intriguing.workflow.files import remove_leftovers, replacing, write_text
from intriguing.workflow.folders import has_jobs_elsewhere

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


@pytest.mark.parametrize("suffix", [".csv", ""])
def test_what_a_killed_writer_left_is_removed(tmp_path, writer, suffix):
    write_text(tmp_path / "tables/.hidden.part.csv", "not ours")
    (path,) = (p for p in (tmp_path / "tables").iterdir() if "hidden" not in p.name)
    path.rename(path.with_suffix(suffix))
    writer.kill()
    writer.wait()
    assert len(remove_leftovers(tmp_path)) == 1
    assert names(tmp_path) == {".hidden.part.csv"}


def test_what_a_writer_is_at_stays(tmp_path, writer):
    assert remove_leftovers(tmp_path) == []
    assert len(names(tmp_path)) == 1


@pytest.mark.parametrize(
    ("mark", "elsewhere"),
    [
        (None, False),
        ('{"external_jobid": null}', False),
        ("", False),
        ('{"external_jobid": "17"}', True),
    ],
)
def test_a_job_given_to_a_cluster_is_seen_until_it_is_done(tmp_path, mark, elsewhere):
    """As long as its outputs are marked, nothing is removed when a run begins."""
    if mark is not None:
        (tmp_path / b64encode(b"results/a").decode()).write_text(mark)
    assert has_jobs_elsewhere(tmp_path) is elsewhere
