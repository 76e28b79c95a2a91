"""Models of callers: what is wrong with them, and how they are left as they were."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from intriguing.errors import InputError
from intriguing.models.evaluation import undisturbed


def require_module(model: Any) -> None:
    """Refuse what is no module, or has parameters without values."""
    if not isinstance(model, nn.Module):
        raise InputError(f"model: {type(model).__name__} given; give a torch nn.Module")
    tensors = [*model.parameters(), *model.buffers()]
    if any(map(is_lazy, tensors)):
        raise InputError(
            "model: it has lazy modules without weights; call it once on a batch"
        )
    if any(tensor.is_meta for tensor in tensors):
        raise InputError("model: its weights are on the meta device; load them first")


def is_altered(module: nn.Module) -> bool:
    """Return whether a module does more than its class says."""
    hooks = module._forward_hooks, module._forward_pre_hooks
    return any(map(len, hooks)) or "forward" in vars(module)


def is_compiled(module: nn.Module) -> bool:
    """Return whether a module was made from another one, by tracing or compiling."""
    made = torch.jit.ScriptModule, torch.fx.GraphModule
    # That of torch.compile, whose class takes seconds to import.
    return isinstance(module, made) or "_orig_mod" in module._modules


@contextmanager
def preserved(model: nn.Module) -> Iterator[None]:
    """Evaluate a model as it is used, and leave it and its buffers as they were."""
    owned = [(module._buffers, dict(module._buffers)) for module in model.modules()]
    tensors = [b for _, own in owned for b in own.values() if b is not None]
    values = [(b, b.clone(), _version(b)) for b in tensors]
    with undisturbed(model):
        try:
            yield
        finally:
            for buffers, own in owned:
                for name in set(buffers.keys()) - own.keys():
                    del buffers[name]  # made by the first call
                for name, buffer in own.items():
                    if buffers[name] is not buffer:
                        buffers[name] = buffer
            for buffer, value, version in values:
                if _is_changed(buffer, value, version):
                    with torch.no_grad():
                        buffer.copy_(value)


def _version(tensor: Tensor) -> int:
    """Return how often a tensor was changed in place."""
    return 0 if tensor.is_inference() else tensor._version


def _is_changed(tensor: Tensor, value: Tensor, version: int) -> bool:
    if tensor.layout is torch.strided:
        return not torch.equal(tensor, value)
    return _version(tensor) != version  # sparse tensors cannot be compared


def reason_of(error: Exception) -> str:
    """Return the line of an error in a model's own code that says most."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    # TorchScript puts its own traceback before what happened.
    return lines[-1] if "TorchScript" in lines[0] else lines[0]
