"""Code, data files and library versions that differ between two checkouts."""

import re
from contextlib import suppress
from functools import cache
from pathlib import Path

from content_reruns import CodeDigestError, code_digest, module_digests

PIN = re.compile(r"^([\w.-]+)==(\S+)", re.MULTILINE)
UNKNOWN = (
    "its code; the module is unknown, because the sources of one side are not those "
    "that made its results"
)


def code_changes(base: Path, now: Path, digests: tuple[str, str]) -> str:
    """Return the modules of a step that differ between two checkouts.

    Args:
        base: One checkout.
        now: The other one.
        digests: The recorded digest of the step's code in each. A checkout without a
            step of that digest did not make the results.
    """
    before, after = (
        steps_by_digest(c).get(d) for c, d in zip((base, now), digests, strict=True)
    )
    if not (before and after):
        return UNKNOWN
    return ", ".join(_differing(_modules(before, base), _modules(after, now)))


def changed_modules(rule: str, code: str, base: Path, now: Path) -> list[str]:
    """Return the modules that differ in the step of a rule, found by its file name.

    Args:
        rule: The name of the file where no step has the digest.
        code: The recorded digest of the step's code in ``now``.
        base: One checkout.
        now: The other one.
    """
    step = steps_by_digest(now).get(code)
    name = step.name if step else f"{rule}.py"
    steps = [next((c / "scripts").rglob(name), None) for c in (base, now)]
    return _differing(_modules(steps[0], base), _modules(steps[1], now))


def changed_files(names: list[str], base: Path, now: Path) -> list[str]:
    """Return the files that both checkouts hold with different content."""
    both = (n for n in names if (base / n).is_file() and (now / n).is_file())
    return [n for n in both if (base / n).read_bytes() != (now / n).read_bytes()]


def changed_versions(base: Path, now: Path) -> list[str]:
    """Return the libraries that the two checkouts pin at different versions."""
    before, after = _pins(base), _pins(now)
    names = sorted(_differing(before, after), key=str.lower)
    return [f"{n} {before.get(n, '--')} → {after.get(n, '--')}" for n in names]


def _differing(before: dict[str, str], after: dict[str, str]) -> list[str]:
    names = sorted({*before, *after})
    return [name for name in names if before.get(name) != after.get(name)]


@cache  # asked for each changed step
def steps_by_digest(checkout: Path) -> dict[str, Path]:
    """Return the step scripts of a checkout by the digest of their code."""
    found = {}
    for script in (checkout / "scripts").rglob("*.py"):
        with suppress(CodeDigestError):
            found[code_digest(script, _roots(checkout))] = script
    return found


def _modules(step: Path | None, checkout: Path) -> dict[str, str]:
    """Return the digest of each module that a step reaches."""
    try:
        digests = module_digests(step, _roots(checkout)) if step else {}
    except CodeDigestError:
        return {}
    top = checkout.resolve()
    return {path.relative_to(top).as_posix(): one for path, one in digests.items()}


def _roots(checkout: Path) -> list[Path]:
    return [checkout / "src", checkout / "scripts"]


def _pins(checkout: Path) -> dict[str, str]:
    lock = checkout / "requirements.lock"
    return dict(PIN.findall(lock.read_text())) if lock.is_file() else {}
