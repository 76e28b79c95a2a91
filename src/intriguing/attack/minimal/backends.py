"""How the loop runs, the one choice between compiled and torch functions.

A fully connected network in float32 on the CPU has the whole loop compiled, its passes
included. Any other network there has compiled stages, and its passes in torch. On other
devices and in other precisions pixels are tensors.
"""

from collections.abc import Callable
from functools import cache, partial
from types import ModuleType, SimpleNamespace
from typing import Any, NamedTuple, cast

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from intriguing.attack.compilation import entry_point
from intriguing.attack.minimal import constants as const
from intriguing.attack.minimal import decisions
from intriguing.attack.minimal import network as torch_passes
from intriguing.attack.minimal.compiled import dense
from intriguing.attack.minimal.compiled import stages as compiled_stages
from intriguing.attack.minimal.compiled.room import room_for
from intriguing.attack.minimal.loop import loop_with, stages_with
from intriguing.attack.minimal.network import LEAST_ROWS, HostPasses, Network
from intriguing.attack.minimal.state import SearchState
from intriguing.attack.minimal.tensors import pixels as tensor_pixels


class Backend(NamedTuple):
    """How the loop runs.

    Attributes:
        loop: The function of `loop.loop_with`.
        passes: Makes of a network and a state what the passes take.
        zeros: Makes pixels of some shape.
        room: Makes room for the work on pixels, from pixels, constraint slots and
            curvature pairs of an image.
        as_pixels: Makes pixels of a tensor, in the same memory.
        threads: Returns how many threads share so many images.
        slots: Returns how many images one of them works on at once, from sizes as of
            ``room``.
    """

    loop: Callable[..., tuple[int, int, bool]]
    passes: Callable[[Network, SearchState], Any]
    zeros: Callable[[tuple[int, ...]], Any]
    room: Callable[[tuple[int, int, int]], Any]
    as_pixels: Callable[[Tensor], Any]
    threads: Callable[[int], int]
    slots: Callable[[tuple[int, int, int]], int]


def backend_for(network: Network, clean: Float[Tensor, "n d"]) -> Backend:
    """Return how the loop runs for a network and its images."""
    if clean.device.type != "cpu" or clean.dtype != torch.float32:
        return tensor_backend(clean)
    if dense.dense_of(network.layers) is None:
        return compiled_backend()
    return dense_backend()


def dense_backend() -> Backend:
    """Return the backend that is compiled as a whole."""
    return compiled_backend()._replace(
        loop=dense_loop(),
        passes=dense_passes,
        threads=lambda n: min(torch.get_num_threads(), n // const.THREAD_IMAGES) or 1,
        slots=lambda sizes: const.THREAD_SLOTS,
    )


def compiled_backend() -> Backend:
    """Return the backend of compiled stages and passes in torch."""
    return Backend(
        loop=loop_with(callable_from_python(cast(Any, compiled_stages)), torch_passes),
        passes=lambda network, state: HostPasses(network, as_array),
        zeros=partial(np.zeros, dtype=np.float32),
        room=lambda sizes: room_for(*sizes),
        as_pixels=as_array,
        threads=lambda images: 1,
        slots=partial(slots_within, const.SLOTS, const.SLOT_VALUES),
    )


def tensor_backend(clean: Float[Tensor, "n d"]) -> Backend:
    """Return the backend of pixels in tensors like some images."""
    stages = stages_with(callable_from_python(cast(Any, decisions)), tensor_pixels)
    limits = (const.SLOTS, const.SLOT_VALUES)
    if clean.device.type != "cpu":
        limits = (const.GPU_SLOTS, const.GPU_SLOT_VALUES)
    return Backend(
        loop=loop_with(stages, torch_passes),
        passes=lambda network, state: HostPasses(network, lambda tensor: tensor),
        zeros=clean.new_zeros,
        room=lambda sizes: None,
        as_pixels=lambda tensor: tensor,
        threads=lambda images: 1,
        slots=partial(slots_within, *limits),
    )


@cache
def dense_loop() -> Callable[..., tuple[int, int, bool]]:
    """Return the loop compiled as a whole."""
    return entry_point(loop_with(compiled_stages, dense))


@cache
def callable_from_python(module: ModuleType) -> SimpleNamespace:
    """Return the public functions of a compiled module as Python may call them."""
    kernels = {name: getattr(module, name) for name in module.__all__}
    return SimpleNamespace(
        **{name: entry_point(inner.py_func) for name, inner in kernels.items()}
    )


def as_array(tensor: Tensor) -> np.ndarray:
    """Return a tensor on the CPU as an array."""
    return tensor.detach().contiguous().numpy()


def dense_passes(network: Network, state: SearchState) -> dense.Dense:
    """Return a fully connected network with room for the passes of a state."""
    known = dense.dense_of(network.layers)
    assert known is not None  # or the backend would be another
    return dense.with_room(known, len(state.runs), len(state.requests))


def slots_within(most: int, values: int, sizes: tuple[int, int, int]) -> int:
    """Return how many images to work on at once."""
    width, constraints, memory = sizes
    return max(LEAST_ROWS, min(most, values // (width * (constraints + 2 * memory))))
