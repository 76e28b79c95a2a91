"""Images and labels as arrays: reading, splitting, sampling."""

import struct

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from intriguing.data import disjoint_splits, parse_idx, sample_indices, to_pixels
from intriguing.errors import InputError

SEEDS = st.integers(0, 2**31)


def as_idx(values: np.ndarray) -> bytes:
    """Write uint8 values by the published layout of IDX."""
    header = struct.pack(f">4B{values.ndim}I", 0, 0, 8, values.ndim, *values.shape)
    return header + values.tobytes()


IMAGES = arrays(np.uint8, array_shapes(min_dims=3, max_dims=3, max_side=5))
LABELS = arrays(np.uint8, array_shapes(min_dims=1, max_dims=1))


@given(values=IMAGES | LABELS)
def test_what_idx_holds_is_read_back(values):
    np.testing.assert_array_equal(parse_idx(as_idx(values), "digits"), values)


@given(values=IMAGES | LABELS, data=st.data())
def test_idx_cut_anywhere_is_refused_by_name(values, data):
    content = as_idx(values)
    length = data.draw(st.integers(0, len(content) - 1))
    with pytest.raises(InputError, match="t10k-images"):
        parse_idx(content[:length], "t10k-images")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (as_idx(np.zeros(3, np.uint8)) + b"\0", "too long"),
        (as_idx(np.zeros(3, np.uint8))[:-1], "truncated"),
        (b"\x1f\x8b\x08\x00 packed", "no IDX"),
        (as_idx(np.zeros((2, 2), np.uint8)), "no IDX"),
    ],
    ids=["overlong", "truncated", "still packed", "two axes"],
)
@pytest.mark.fault("A file of images or labels is cut, or another one", "everything")
def test_the_message_says_what_is_wrong_with_idx(content, problem, request, seen):
    with pytest.raises(InputError, match=f"labels.*{problem}") as told:
        parse_idx(content, "labels")
    seen(str(told.value), request.node.callspec.id)


def test_pixels_are_the_bytes_over_255_in_float32_and_nothing_else_is_taken():
    images = np.arange(256, dtype=np.uint8).reshape(1, 1, 16, 16)
    pixels = to_pixels(torch.from_numpy(images))
    assert pixels.dtype == torch.float32
    exact = images.astype(np.float64) / 255
    np.testing.assert_array_equal(pixels.numpy(), exact.astype(np.float32))
    assert torch.equal(to_pixels(images), pixels)
    with pytest.raises(InputError, match=r"images.*uint8.*float32"):
        to_pixels(torch.rand(1, 1, 2, 2))


@given(count=st.integers(0, 500), seed=SEEDS)
def test_the_splits_are_disjoint_ascending_and_cover_the_set(count, seed):
    first, second = disjoint_splits(count, seed)
    assert len(second) - len(first) == count % 2
    assert (np.diff(first) > 0).all() and (np.diff(second) > 0).all()
    assert sorted([*first, *second]) == list(range(count))
    assert first.dtype == second.dtype == np.int64


def test_the_splits_are_those_that_the_data_card_states():
    order = np.random.default_rng(3).permutation(101)
    first, second = disjoint_splits(101, 3)
    assert set(first) == set(order[:50])
    assert set(second) == set(order[50:])
    assert not np.array_equal(first, disjoint_splits(101, 4)[0])


@given(count=st.integers(0, 300), seed=SEEDS, data=st.data())
def test_a_sample_repeats_no_index_and_starts_with_every_smaller_one(count, seed, data):
    size = data.draw(st.integers(0, count))
    smaller = data.draw(st.integers(0, size))
    sample = sample_indices(count, size, seed)
    assert len(set(sample)) == size and set(sample) <= set(range(count))
    np.testing.assert_array_equal(
        sample_indices(count, smaller, seed), sample[:smaller]
    )


@pytest.mark.parametrize("seed", [0, 1, 7])
def test_a_sample_is_independent_of_the_splits_of_the_same_seed(seed):
    # Uniform samples have 500 of 1,000 in P1 with a standard deviation of 11.
    first, _ = disjoint_splits(2000, seed)
    assert abs(np.isin(sample_indices(2000, 1000, seed), first).sum() - 500) < 60


def test_a_sample_larger_than_the_set_is_refused():
    with pytest.raises(InputError, match="11 images are requested of 10"):
        sample_indices(10, 11, seed=0)
