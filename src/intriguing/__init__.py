"""Intriguing properties of neural networks (Szegedy et al., 2013), reproduced.

The package imports its modules, and torch with them, at the first use of their names.
"""

import importlib
import pkgutil
from typing import Any

__version__ = "0.1.0"

# The digest of a step can follow a literal dict of whole module names.
_EXPORTS = {
    "find_adversarial": "intriguing.attack",
    "load_model": "intriguing.models.files",
}
# A step names the chapters that it imports; the digest finds them by their files.
DIGESTED_MODULES = ()
__all__ = sorted(  # pyright: ignore[reportUnsupportedDunderAll]
    [*_EXPORTS, *(module.name for module in pkgutil.iter_modules(__path__))]
)


def __getattr__(name: str) -> Any:
    """Import a chapter, or the chapter of a public function."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name in _EXPORTS:
        return getattr(importlib.import_module(_EXPORTS[name]), name)
    return importlib.import_module(f"{__name__}.{name}")


def __dir__() -> list[str]:
    """Return the public names."""
    return [*__all__, "__version__"]
