"""Which of the code and data files in two checkouts differ."""

import re
from pathlib import Path

from content_reruns import CodeDigestError, code_digest, module_digests

PIN = re.compile(r"^([\w.-]+)==(\S+)", re.MULTILINE)
LOCK = "requirements.lock"
UNKNOWN = (
    "its code; which module cannot be told, "
    "as the sources here are not those that made these results"
)


def code_changes(rule: str, base: Path, now: Path, digests: tuple[str, str]) -> str:
    """Name the modules of a step whose code differs between two checkouts.

    Args:
        rule: Name of the rule, and of its step.
        base: One checkout.
        now: The other one.
        digests: What the records say of the step's code in each; a checkout with
            another digest did not make the results.
    """
    checkouts = (base, now)
    if tuple(_digest(rule, checkout) for checkout in checkouts) != digests:
        return UNKNOWN
    return ", ".join(changed_modules(rule, base, now))


def changed_modules(rule: str, base: Path, now: Path) -> list[str]:
    """List the modules of a step that differ in more than comments and layout."""
    before, after = (_modules(rule, checkout) for checkout in (base, now))
    names = sorted({*before, *after})
    return [name for name in names if before.get(name) != after.get(name)]


def changed_files(names: list[str], base: Path, now: Path) -> list[str]:
    """List those of some files that both checkouts hold, with other content."""
    both = (n for n in names if (base / n).is_file() and (now / n).is_file())
    return [n for n in both if (base / n).read_bytes() != (now / n).read_bytes()]


def changed_versions(base: Path, now: Path) -> list[str]:
    """List the libraries that the two checkouts pin at other versions."""
    before, after = (_pins(checkout / LOCK) for checkout in (base, now))
    names = sorted({*before, *after}, key=str.lower)
    pairs = ((name, before.get(name, "--"), after.get(name, "--")) for name in names)
    return [f"{name} {old} → {new}" for name, old, new in pairs if old != new]


def _step(rule: str, checkout: Path) -> tuple[Path, list[Path]]:
    return checkout / f"scripts/{rule}.py", [checkout / "src", checkout / "scripts"]


def _digest(rule: str, checkout: Path) -> str | None:
    try:
        return code_digest(*_step(rule, checkout))
    except CodeDigestError:
        return None


def _modules(rule: str, checkout: Path) -> dict[str, str]:
    try:
        digests = module_digests(*_step(rule, checkout))
    except CodeDigestError:
        return {}
    top = checkout.resolve()
    return {path.relative_to(top).as_posix(): one for path, one in digests.items()}


def _pins(lock: Path) -> dict[str, str]:
    return dict(PIN.findall(lock.read_text())) if lock.is_file() else {}
