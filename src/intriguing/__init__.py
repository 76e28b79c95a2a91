"""Intriguing properties of neural networks (Szegedy et al., 2013), reproduced.

Importing this package costs nothing: a name below is loaded, and torch with it, once
it is asked for.
"""

import importlib
from typing import Any

__version__ = "0.1.0"

# A literal dict with whole module names, so that the digest of a step can follow it.
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
    """Import a public module, or the module of a public function, when asked for it."""
    if name not in _EXPORTS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = importlib.import_module(_EXPORTS[name])
    is_module = module.__name__ == f"{__name__}.{name}"
    return module if is_module else getattr(module, name)


def __dir__() -> list[str]:
    """List what can be asked for."""
    return [*__all__, "__version__"]
