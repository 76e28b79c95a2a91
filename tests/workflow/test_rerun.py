"""What runs again after a change, a crash, a clone or a step back in history.

Plans are compared with the graph of the finished run: the jobs that a change touches,
by what Python itself would import, and all that take their outputs.
"""

import json
import os
import random
import re
import shutil
import signal
import subprocess
import time
from base64 import urlsafe_b64encode
from functools import partial
from html import unescape
from modulefinder import ModuleFinder
from pathlib import Path

import pytest
import scratch
import yaml
from conftest import ROOT
from parsed import parsed_rules
from scratch import (
    Run,
    attempt,
    call,
    commit,
    edit,
    of_rule,
    planned,
    python,
    twin,
    with_dependants,
)

from intriguing.workflow.compare import NO_RECORDS, NOT_HERE, write_comparison

pytestmark = pytest.mark.slow

CONFIG, SHEET = "tests/stories/config.yaml", "tests/stories/models.tsv"
RUN = "results/story"
STORIES = Run(RUN, ("all", "--configfile", CONFIG))
jobs = partial(scratch.jobs, run=STORIES)
contents = partial(scratch.contents, run=STORIES)
snakemake = partial(scratch.snakemake, run=STORIES)

# Differ from run to run: times.
TIMES = ("logs/", "benchmarks/", "provenance.json", "provenance.html")


@pytest.fixture(scope="session")
def whole(mnist_raw, tmp_path_factory):
    """Run it to its end."""
    return scratch.finished_run(tmp_path_factory.getbasetemp(), mnist_raw, STORIES)


@pytest.fixture(scope="session")
def finished(whole):
    """List the jobs of the finished run."""
    return jobs(whole)


@pytest.fixture
def tree(whole, tmp_path):
    return twin(whole, tmp_path / "tree")


@pytest.fixture(scope="session")
def scripts(tmp_path_factory):
    """Return the step of each rule, relative to the root."""
    rules = parsed_rules(tmp_path_factory.mktemp("rules"), CONFIG)
    steps = {name: rule.script for name, rule in rules.items() if rule.script}
    return {name: Path(script).relative_to(ROOT) for name, script in steps.items()}


def jobs_reaching(tree, scripts, known, module):
    """Name the jobs whose step imports a module, as Python's own finder sees it."""
    rules = []
    for rule in {job.rule for job in known.values()}:
        finder = ModuleFinder([str(tree / "src")])
        finder.run_script(str(tree / scripts[rule]))
        rules += [rule] if module in finder.modules else []
    return of_rule(known, *rules)


@pytest.mark.fault("The clock is set back, or all time stamps change", "everything")
def test_remarks_layout_and_timestamps_rerun_nothing(tree, seen):
    """Each of the first four in a module of its own; then all files grow older."""
    library = tree / "src/intriguing"
    remarked, documented, laid_out, touched = (
        library / f"{name}.py"
        for name in ("attack/lbfgs", "attack/candidate", "transfer/claims", "data")
    )
    texts = [path.read_text() for path in (remarked, documented, laid_out)]
    remarked.write_text(f"{texts[0]}\n# A remark.\n")
    documented.write_text(texts[1].replace('"""', '"""Once more: ', 1))
    laid_out.write_text(texts[2].replace("\n\n\n", "\n\n\n\n").replace(" = ", "  =  "))
    assert texts != [path.read_text() for path in (remarked, documented, laid_out)]
    change_cell(tree, "FC10-1", "decay", "1.0")  # the same number
    later = time.time() + 3600
    os.utime(touched, (later, later))
    assert planned(jobs(tree)) == set()
    # Every file older than what was made from it before, and the other way round.
    for path in (path for path in tree.rglob("*") if path.is_file()):
        at = 2e9 - path.stat().st_mtime
        os.utime(path, (at, at), follow_symlinks=False)
    said = dry_run(tree)
    assert "Nothing to be done" in said
    seen(said)


def dry_run(tree):
    """Return what Snakemake says it would do: the number of jobs of each rule."""
    return snakemake(tree, "--dry-run", "--quiet", "rules")


def counted(said):
    """Return how many jobs of each rule a dry run counts."""
    return {rule: int(jobs) for rule, jobs in re.findall(r"^(\w+) +(\d+)$", said, re.M)}


@pytest.mark.fault(
    "The folder's name has a space, and letters that are not ASCII", "everything"
)
def test_a_run_in_a_folder_with_an_unusual_name_is_whole(whole, finished, seen):
    assert " " in str(whole) and not str(whole).isascii()
    assert {"train/FC10-1/0", "transfer", "claims"} <= set(finished)
    assert planned(finished) == set()
    seen(dry_run(whole))


@pytest.mark.parametrize(
    ("module", "old", "new", "rerun", "kept"),
    [
        ("attack/candidate", "P = 2.0", "P = 3.0", ["attack"], ["mnist", "train"]),
        ("training/perceptron", "(6 / (layer", "(5 / (layer", ["train"], ["mnist"]),
        (
            *("transfer/claims", "FAR_MORE = 2.0", "FAR_MORE = 3.0"),
            *(["table_cross_model"], ["train", "attack", "transfer"]),
        ),
    ],
    ids=["constant of the attack", "default of training", "threshold of a claim"],
)
def test_a_changed_module_reruns_what_is_made_with_it_and_trains_only_if_it_must(
    tree, scripts, finished, module, old, new, rerun, kept
):
    edit(tree / f"src/intriguing/{module}.py", old, new)
    name = f"intriguing.{module.replace('/', '.')}"
    touched = jobs_reaching(tree, scripts, finished, name)
    plan = planned(jobs(tree))
    assert plan == with_dependants(finished, touched)
    assert of_rule(finished, *rerun) <= touched
    assert not plan & of_rule(finished, *kept)


def change_cell(tree, model, column, new):
    """Change one cell of the sheet of networks."""
    path = tree / SHEET
    header, *rows = [line.split("\t") for line in path.read_text().splitlines()]
    for row in rows:
        if row[0] == model:
            assert row[header.index(column)] != new
            row[header.index(column)] = new
    path.write_text("".join("\t".join(row) + "\n" for row in [header, *rows]))


def change_section(tree):
    path = tree / CONFIG
    settings = yaml.safe_load(path.read_text())
    settings.setdefault("train", {})["autoencoder"] = {"decay": 0.004}
    path.write_text(yaml.safe_dump(settings))


def change_row(tree):
    change_cell(tree, "AE400-10", "epochs", "29")


@pytest.mark.parametrize("change", [change_section, change_row])
def test_a_changed_setting_of_one_network_trains_no_other(tree, finished, change):
    change(tree)
    touched = {name for name in finished if name.startswith("train/AE400-10/")}
    assert len(touched) == 1
    assert planned(jobs(tree)) == with_dependants(finished, touched)


def test_a_new_network_trains_no_other(tree, finished):
    with (tree / SHEET).open("a") as sheet:
        sheet.write("FC10-10\tlinear\t-\t10\tall\t-\t-\t-\t-\n")
    known = jobs(tree)
    plan = planned(known)
    assert plan & of_rule(known, "mnist", "train") == {"train/FC10-10/0"}
    assert plan & of_rule(known, "attack") == {"attack/lbfgs/FC10-10/0"}
    assert plan >= {"transfer", "table_models", "claims"}


@pytest.mark.fault("A result is damaged or removed", "the other results")
def test_a_removed_result_is_made_again_and_a_damaged_one_reruns_its_users(
    tree, finished, seen
):
    damaged, removed = f"{RUN}/transfer/lbfgs.parquet", f"{RUN}/training/FC10-1/0.json"
    path = tree / damaged
    path.write_bytes(path.read_bytes()[:-1])
    users = {name for name, job in finished.items() if damaged in job.inputs}
    assert planned(jobs(tree)) == with_dependants(finished, users)
    (tree / removed).unlink()
    said = dry_run(tree)
    assert counted(said)["train"] == 1
    seen(said)


def test_identical_bytes_stop_the_spread_from_the_next_call_on(tree, finished):
    """Within one call the plan is already made; other code, the same table."""
    path = tree / "scripts/attack/table_models.py"
    edit(path, '"models")', '"models", None)')
    before = contents(tree, *TIMES)
    assert planned(jobs(tree)) == with_dependants(finished, {"table_models"})
    snakemake(tree, "--cores", "1", "--until", "table_models")
    assert contents(tree, *TIMES) == before
    assert planned(jobs(tree)) == set()


# A crash


def started(mark, tree, *command):
    """Start a run; return its process once a file is there."""
    mark.unlink(missing_ok=True)
    running = subprocess.Popen(
        [str(part) for part in command],
        cwd=tree,
        env=scratch.environment(tree),
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while not mark.exists():
        assert running.poll() is None, f"the run ended before {mark}"
        time.sleep(0.02)
    return running


def run_and_kill(mark, tree, *command, delay=0.0):
    """Kill a run with all its children, without warning, once a file is there."""
    running = started(mark, tree, *command)
    time.sleep(delay)
    os.killpg(running.pid, signal.SIGKILL)
    running.wait()


KILLS = int(os.environ.get("KILLS", "4"))
"""Times that one run is killed; `record_faults.py` asks for more."""
LOST = ("train/FC10-1/0", "train/AE400-10/0")
"""Jobs whose results, and all made from them, are made once more after a crash."""


@pytest.fixture(scope="module")
def killed(whole, finished, tmp_path_factory):
    """Kill a run while it attacks; leave a file as a careless writer would."""
    tree = twin(whole, tmp_path_factory.mktemp("killed") / "tree")
    for name in with_dependants(finished, LOST):
        for output in finished[name].outputs:
            (tree / output).unlink()
        (tree / RUN / f"benchmarks/{name}.tsv").unlink()
    one_core = python("snakemake", *STORIES.options, "--cores", "1")
    log = tree / RUN / "logs/attack/lbfgs/AE400-10/0.log"
    run_and_kill(log, tree, *one_core)
    (tree / RUN / "adversarial/lbfgs/AE400-10/0.parquet").write_bytes(b"half")
    return tree


@pytest.fixture(scope="module")
def resumed(killed, finished, tmp_path_factory):
    """Go on after the crash, are killed at more moments, and finish on one core.

    The lock goes by hand but for the last time, which takes less time than `--unlock`.

    Moments are those at which some job begins, or its file takes its name, before
    Snakemake knows; and up to a fifth of a second later.
    """
    tree = twin(killed, tmp_path_factory.mktemp("resumed") / "tree")
    draw = random.Random(5)
    order = beginning_first(finished, with_dependants(finished, LOST))
    for position in sorted(draw.choices(range(len(order)), k=KILLS - 1)):
        shutil.rmtree(tree / ".snakemake/locks")
        mark = draw_mark(tree, finished, order[position:] + order[:position], draw)
        delay = draw.uniform(0, 0.2)
        two_cores = python("snakemake", *STORIES.options, "--cores", "2")
        run_and_kill(mark, tree, *two_cores, delay=delay)
    snakemake(tree, "--unlock")
    snakemake(tree, "--cores", "1")
    return tree


def beginning_first(finished, names):
    """Order jobs so that those which most others wait for come first."""
    return sorted(names, key=lambda n: (-len(with_dependants(finished, {n})), n))


def draw_mark(tree, finished, order, draw):
    """Draw a file that the first unfinished job has yet to write.

    A job that others wait for may be done when its file is there, a last one not: the
    run must not be over by then.
    """
    benchmarks = tree / RUN / "benchmarks"
    waiting = [name for name in order if not (benchmarks / f"{name}.tsv").exists()]
    name = waiting[0]
    log = tree / RUN / f"logs/{name}.log"
    output = tree / min(finished[name].outputs)
    is_last = with_dependants(finished, {name}) & set(waiting) == {name}
    return log if is_last else draw.choice([log, output])


@pytest.mark.fault("The call after a kill", "everything")
def test_a_killed_run_is_locked_and_says_how_to_go_on(killed, seen):
    status, said = attempt(
        killed, *python("snakemake", *STORIES.options, "--cores", "1")
    )
    assert status != 0
    assert "--unlock" in said
    seen(part_from("cannot be locked", said))


def part_from(words, said):
    """Return what Snakemake says, from the line with some words to an empty one."""
    lines = said.splitlines()
    first = next(i for i, line in enumerate(lines) if words in line)
    return "\n".join(lines[first:]).partition("\n\n")[0]


@pytest.mark.fault(
    "A second run begins in the folder of a running one", "the first run"
)
def test_a_second_run_in_the_same_folder_is_refused_and_the_first_goes_on(
    tree, finished, seen
):
    made = contents(tree, *TIMES)
    for output in finished["transfer"].outputs:
        (tree / output).unlink()
    one_core = python("snakemake", *STORIES.options, "--cores", "1")
    first = started(tree / RUN / "logs/transfer.log", tree, *one_core)
    status, said = attempt(tree, *one_core)
    assert status != 0
    assert first.wait() == 0
    assert contents(tree, *TIMES) == made
    seen(part_from("cannot be locked", said))


@pytest.fixture(scope="module")
def left(killed):
    """Return the names of the jobs that the killed run still has to do."""
    return planned(jobs(killed))


def test_nothing_half_written_is_taken_for_finished(killed, finished, left):
    plan = left
    lost = with_dependants(finished, LOST)
    assert {"attack/lbfgs/AE400-10/0", "transfer", "claims"} <= plan <= lost
    done = {output for name in lost - plan for output in finished[name].outputs}
    assert len(done) > 0
    assert all((killed / output).exists() for output in done)


def test_what_was_finished_before_a_crash_is_not_made_again(
    killed, resumed, finished, left
):
    kept = with_dependants(finished, LOST) - left
    for name in kept:
        for output in finished[name].outputs:
            before, after = (tree / output for tree in (killed, resumed))
            assert before.stat().st_mtime_ns == after.stat().st_mtime_ns


@pytest.mark.fault(
    f"A run is killed {KILLS} times at random moments",
    "every finished file; the results, the last of them made on one core, are those of "
    "an undisturbed run on two, byte for byte",
)
def test_a_run_killed_many_times_gives_the_bytes_of_an_undisturbed_one(
    whole, resumed, seen
):
    wanted, pieces = contents(whole, *TIMES), contents(resumed, *TIMES)
    assert set(wanted) == set(pieces)
    assert [name for name in wanted if wanted[name] != pieces[name]] == []
    said = dry_run(resumed)
    assert "Nothing to be done" in said
    seen(said)


TABLE = "scripts/transfer/table_transfer.py"


@pytest.mark.fault(
    "The kernel kills a step, as when memory runs out",
    "all other steps; the killed one leaves no file",
)
def test_a_step_that_the_kernel_kills_is_named_and_leaves_nothing(tree, seen):
    """As it does where memory runs out."""
    made, text = contents(tree, *TIMES), (tree / TABLE).read_text()
    death = "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n"
    (tree / TABLE).write_text(text + death)
    command = python("snakemake", *STORIES.options, "--cores", "1")
    status, said = attempt(tree, *command)
    assert status != 0
    assert "Error in rule table_cross_model" in said
    seen(part_from("Error in rule", said))
    assert not (tree / RUN / "tables/cross-model.csv").exists()
    (tree / TABLE).write_text(text)
    snakemake(tree, "--cores", "1")
    assert contents(tree, *TIMES) == made


@pytest.mark.fault(
    "The configuration changes during a run",
    "the run, with the old settings; the next one makes what the new ones change",
)
def test_settings_that_change_during_a_run_count_from_the_next_run_on(tree, seen):
    text = (tree / TABLE).read_text()
    change = f"""
from pathlib import Path
Path("{CONFIG}").write_text(Path("{CONFIG}").read_text().replace("s: 32", "s: 31"))
"""
    (tree / TABLE).write_text(text + change)
    snakemake(tree, "--cores", "1")
    (tree / TABLE).write_text(text)
    assert yaml.safe_load((tree / CONFIG).read_text())["attack"]["images"] == 31
    said = dry_run(tree)
    assert counted(said)["attack"] == 3  # on both networks, and the grid on one
    seen(said)


# DVC stores


def dvc(tree, *options):
    return call(tree, *python("dvc", *options))


BEYOND_THE_PAPER = ("units", "sae", "smoothness", "bounds", "explore.html")
"""What only `everything` makes; the stories make `all`."""


def for_stories(tree):
    """Turn the repository's own DVC files, which are of the paper run, to this one."""
    call(tree, "git", "rm", "--quiet", "--ignore-unmatch", "--cached", "dvc.lock")
    (tree / "dvc.lock").unlink(missing_ok=True)
    path = tree / "dvc.yaml"
    command = f"snakemake --cores 2 {' '.join(STORIES.options)}"
    edit(path, "cmd: snakemake --cores all everything\n", f"cmd: {command}\n")
    edit(path, "config/config.yaml", CONFIG)
    text = path.read_text().replace("results/paper", RUN)
    for name in BEYOND_THE_PAPER:
        entry = f"      - {RUN}/{name}:\n          persist: true\n"
        assert entry in text
        text = text.replace(entry, "")
    path.write_text(text)
    ignored = tree / ".gitignore"
    ignored.write_text(ignored.read_text().replace("results/paper", RUN))
    edit(tree / ".dvcignore", beginning("results/paper"), beginning(RUN))


def beginning(folder):
    """Return how Snakemake's records of the files in a folder begin, in base64."""
    file = f"{folder}/a"
    bits = 8 * (len(file) - 1)
    return urlsafe_b64encode(file.encode()).decode()[: -(-bits // 6)]


@pytest.fixture(scope="module")
def recorded(whole, tmp_path_factory):
    """Record the finished run with DVC; return what DVC says, and git of files."""
    tree = twin(whole, tmp_path_factory.mktemp("stored") / "tree")
    for_stories(tree)
    commit(tree, "Store this run")
    said = dvc(tree, "repro")
    return tree, said, call(tree, "git", "status", "--porcelain", "-uall")


@pytest.fixture(scope="module")
def stored(recorded):
    """Commit the recorded run, and share it."""
    tree, *_ = recorded
    dvc(tree, "remote", "add", "--default", "shared", tree.parent / "remote")
    commit(tree, "First results")
    call(tree, "git", "tag", "first")
    dvc(tree, "push")
    return tree


@pytest.fixture
def clone(stored, tmp_path):
    call(tmp_path, "git", "clone", "--quiet", stored, "clone")
    return tmp_path / "clone"


def test_recording_a_finished_run_runs_no_job_and_changes_the_lock_alone(recorded):
    tree, said, changed = recorded
    assert "Nothing to be done" in said
    assert "rule " not in said
    assert changed.splitlines() == ["?? dvc.lock"]
    assert "up to date" in dvc(tree, "status")


def test_the_numbers_are_in_git_and_the_rest_is_not(stored):
    names = call(stored, "git", "ls-files", RUN).splitlines()
    assert f"{RUN}/tables/models.csv" in names
    summaries = {f"{RUN}/metrics.json", f"{RUN}/claims.json"}
    numbers = (f"{RUN}/tables/", f"{RUN}/claims/")
    assert {name for name in names if not name.startswith(numbers)} == summaries


def test_a_clone_with_what_was_shared_has_nothing_to_do(stored, clone):
    dvc(clone, "pull")
    assert "Nothing to be done" in snakemake(clone, "--dry-run")
    assert contents(clone) == contents(stored, *TIMES)
    assert call(clone, "git", "status", "--porcelain") == ""
    snakemake(clone, "--report", clone / RUN / "provenance.html")


def test_a_clone_without_dvc_plans_the_whole_run(clone, finished):
    """Tables kept in git are there, without records, and count for nothing."""
    shutil.rmtree(clone / ".dvc")
    plan = planned(jobs(clone))
    rules = {name.partition("/")[0] for name in plan}
    assert rules >= {job.rule for job in finished.values()}


@pytest.mark.fault("The records of results in `.snakemake` are gone", "the results")
def test_results_without_their_records_are_refused(clone, seen):
    dvc(clone, "pull", f"{RUN}/models")
    status, said = attempt(clone, *python("snakemake", *STORIES.options, "--dry-run"))
    assert status != 0
    (line,) = (line for line in said.splitlines() if ".snakemake/metadata" in line)
    assert f"{RUN}/models" in line
    assert "dvc pull" in line
    seen(line)


@pytest.fixture(scope="module")
def history(stored, tmp_path_factory):
    """Change a setting, be killed, go on, record: a second version of the results."""
    tree = twin(stored, tmp_path_factory.mktemp("history") / "tree")
    path = tree / CONFIG
    path.write_text(path.read_text() + "noise:\n  deviations: [0.1, 0.2]\n")
    lock = (tree / "dvc.lock").read_bytes()
    run_and_kill(tree / RUN / "logs/transfer.log", tree, *python("dvc", "repro"))
    assert (tree / "dvc.lock").read_bytes() == lock
    snakemake(tree, "--unlock")
    dvc(tree, "repro")
    commit(tree, "Other noise")
    call(tree, "git", "tag", "second")
    return tree


def check_out(tree, revision):
    call(tree, "git", "checkout", "--quiet", revision)
    dvc(tree, "checkout", "--force")


def test_a_change_is_recorded_with_the_jobs_that_it_touches(history):
    assert planned(jobs(history)) == set()
    assert "up to date" in dvc(history, "status")
    rows = (history / RUN / "tables/cross-model.csv").read_text()
    assert "noise-0.2" in rows


def test_old_results_come_back_with_the_old_commit_and_new_with_the_new(
    history, stored
):
    second = contents(history, *TIMES)
    check_out(history, "first")
    first = contents(history, *TIMES)
    assert planned(jobs(history)) == set()
    assert first == contents(stored, *TIMES)
    check_out(history, "second")
    assert planned(jobs(history)) == set()
    assert contents(history, *TIMES) == second != first


def test_records_of_other_runs_stay_when_old_results_come_back(history, tmp_path):
    """Outputs that lose their records pass for current, whatever made them."""
    tree = twin(history, tmp_path / "tree")
    name = urlsafe_b64encode(b"results/other/models/x").decode()
    (tree / ".snakemake/metadata" / name).write_text("{}")
    assert "up to date" in dvc(tree, "status")
    check_out(tree, "first")
    assert (tree / ".snakemake/metadata" / name).exists()


def test_dvc_shows_what_changed_between_two_commits(history, tmp_path):
    revisions = ("first", "second")
    params = json.loads(dvc(history, "params", "diff", *revisions, "--json"))
    assert "noise.deviations" in json.dumps(params)
    metrics = json.loads(dvc(history, "metrics", "diff", *revisions, "--json"))
    changed = metrics[f"{RUN}/metrics.json"]
    assert any("noise-0.2" in name for name in changed)
    assert not any(name.startswith("tables.models") for name in changed)
    dvc(history, "plots", "diff", *revisions, "--out", tmp_path / "plots")
    page = (tmp_path / "plots/index.html").read_text()
    assert all(re.search(rf'"rev": ?"{name}"', page) for name in revisions)


def test_the_comparison_names_what_is_upstream_of_each_changed_number(
    history, tmp_path
):
    tree = twin(history, tmp_path / "tree")
    page = (tree / write_comparison(tree, "first", "story")).read_text()
    found = {
        re.sub("<[^>]+>", "", item)
        for item in re.findall('<li id="cause-.*?</li>', page)
    }
    noise = "deviations: [0.1, 0.3] → [0.1, 0.2]"
    assert found >= {f"settings of transfer: {noise}"}
    assert not any(cause.startswith(("code", "data", "result")) for cause in found)
    assert not any("train" in cause or "attack" in cause for cause in found)
    assert re.search(r'<h2 id="models">models</h2>\s*<p>Nothing changed', page)
    assert not re.search(r'<h2 id="cross-model">cross-model</h2>\s*<p>Nothing', page)


def test_the_comparison_goes_on_without_records_in_the_cache(clone):
    page = (clone / write_comparison(clone, "first", "story")).read_text()
    assert NOT_HERE in page


def test_records_of_other_results_than_git_has_are_not_taken_for_theirs(
    history, tmp_path
):
    """As after a commit of new tables that forgot `dvc repro`."""
    tree = twin(history, tmp_path / "tree")
    metrics = tree / RUN / "metrics.json"
    metrics.write_text(metrics.read_text().replace("agrees", "differs"))
    commit(tree, "Not recorded")
    assert NO_RECORDS in unescape(
        (tree / write_comparison(tree, "HEAD", "story")).read_text()
    )
    assert NO_RECORDS not in unescape(
        (tree / write_comparison(tree, "second", "story")).read_text()
    )


def test_a_parameter_is_tried_and_kept_beside_the_commit(history, tmp_path):
    tree = twin(history, tmp_path / "tree")
    before, head = contents(tree, *TIMES), call(tree, "git", "rev-parse", "HEAD")
    trial = f"{CONFIG}:noise.deviations=[0.1,0.4]"
    dvc(tree, "exp", "run", "--name", "trial", "--set-param", trial)
    tried = contents(tree, *TIMES)
    assert b"noise-0.4" in tried["tables/cross-model.csv"]
    assert planned(jobs(tree)) == set()
    assert call(tree, "git", "rev-parse", "HEAD") == head
    call(tree, "git", "checkout", "--quiet", "HEAD", "--", ".")
    dvc(tree, "checkout", "--force")
    assert contents(tree, *TIMES) == before
    assert planned(jobs(tree)) == set()
    dvc(tree, "exp", "apply", "trial")
    assert contents(tree, *TIMES) == tried
    assert planned(jobs(tree)) == set()


def test_branches_with_results_of_their_own_can_be_merged(history, tmp_path):
    """Records conflict; from either side Snakemake finds what the two make together."""
    tree = twin(history, tmp_path / "tree")
    check_out(tree, "first")
    edit(tree / "src/intriguing/transfer/claims.py", "FAR_MORE = 2.0", "FAR_MORE = 3.0")
    dvc(tree, "repro")
    commit(tree, "Harder to please")
    status, said = attempt(tree, "git", "merge", "second")
    assert status != 0
    assert re.findall("CONFLICT .* in (.*)", said) == ["dvc.lock"]
    call(tree, "git", "checkout", "--ours", "dvc.lock")
    call(tree, "git", "add", "dvc.lock")
    dvc(tree, "checkout", "--force")
    assert of_rule(jobs(tree), "transfer", "claims") <= planned(jobs(tree))
    dvc(tree, "repro")
    tables = f"{RUN}/tables/cross-model.csv"
    assert (tree / tables).read_bytes() == (history / tables).read_bytes()
    assert "up to date" in dvc(tree, "status")
