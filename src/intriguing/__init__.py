"""Intriguing properties of neural networks (Szegedy et al., 2013), reproduced.

The package imports its modules, and torch with them, at the first use of their names.
"""

import importlib
from typing import Any

__version__ = "0.1.0"

# The digest of a step can follow a literal dict of whole module names.
_EXPORTS = {
    "attack": "intriguing.attack",
    "baselines": "intriguing.baselines",
    "data": "intriguing.data",
    "errors": "intriguing.errors",
    "figures": "intriguing.figures",
    "find_adversarial": "intriguing.attack",
    "load_model": "intriguing.models.files",
    "models": "intriguing.models",
    "spectra": "intriguing.spectra",
    "stats": "intriguing.stats",
    "tables": "intriguing.tables",
    "training": "intriguing.training",
    "transfer": "intriguing.transfer",
}
__all__ = sorted(_EXPORTS)


def __getattr__(name: str) -> Any:
    """Import a public module, or the module of a public function."""
    if name not in _EXPORTS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = importlib.import_module(_EXPORTS[name])
    is_module = module.__name__ == f"{__name__}.{name}"
    return module if is_module else getattr(module, name)


def __dir__() -> list[str]:
    """Return the public names."""
    return [*__all__, "__version__"]
