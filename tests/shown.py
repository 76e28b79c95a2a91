"""What of a command's output a page shows."""

import re

MOST_LINES = 14
# Beginnings of lines without results: Snakemake's greeting, times and advice, and the
# advice of DVC and git.
NOISE = [
    *(r"$", r"=+$", r"\t(git|dvc)", r"\[\w{3} \w{3}", r"(local)?rule \w+:"),
    *(r"Job \d+:", r"\w+ [\w./-]+:$", "Reasons?", "Migrat", "Building DAG", "hint:"),
    *("Assuming", "host:", "Using ", "Provided", "Rules claiming", "Rules with"),
    *("Select jobs", "Execute ", "Finished job", "Complete log", "Elapsed", "Use `dvc"),
    *("SNAKEMAKE", "This was a dry-run", "Some jobs were triggered", "If you prefer"),
    *("Job stats", "Config file", "  File ", "If you are sure that a change"),
    "To (track|enable|share|push|apply|promote)",
]


def shortened(output: str) -> str:
    """Return the lines about results, without the middle of long outputs."""
    text = re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", output)
    lines = [line.rstrip() for line in re.split(r"[\n\r]", text)]
    # Snakemake indents what describes a job.
    indented = ["  "] if "SNAKEMAKE" in output else []
    noise = re.compile("|".join([*NOISE, *indented]))
    lines = [line for line in lines if not noise.match(line)]
    # Of repeated lines the first, of the lines of progress the last.
    lines = list(dict.fromkeys(lines))
    steps = [k for k, line in enumerate(lines) if re.match(r"\d+ of \d+ steps", line)]
    lines = [line for k, line in enumerate(lines) if k not in steps[:-1]]
    if len(lines) > MOST_LINES:
        lines = [*lines[: MOST_LINES - 2], "…", lines[-1]]
    return "".join(f"{line}\n" for line in lines)
