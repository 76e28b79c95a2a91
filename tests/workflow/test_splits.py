"""Networks trained on splits of the training images: which tables they enter."""

import pytest

from intriguing.errors import InputError
from intriguing.workflow import splits
from intriguing.workflow.config import read_config
from intriguing.workflow.sheets import read_models

SHEET = """\
model family hidden decay split learning_rate epochs batch warmup
FC10-1 linear - 1 all - - - -
A@P1 sigmoid 9,8 1e-5,1e-5,1e-6 P1 2e-2 3 50 0
B@P1 sigmoid 7,8 1e-5,1e-5,1e-6 P1 2e-2 3 50 0
A@P2 sigmoid 9,8 1e-5,1e-5,1e-6 P2 2e-2 3 50 0
B@P2 sigmoid 7,8 1e-5,1e-5,1e-6 P2 2e-2 3 50 0
"""


@pytest.fixture
def models(tmp_path):
    path = tmp_path / "models.tsv"
    path.write_text(SHEET.replace(" ", "\t"))
    return read_models(path)


def config(*networks, **settings):
    return read_config({"training_sets": {"networks": networks, **settings}})


def test_a_network_is_trained_on_all_images_or_on_a_part(models):
    assert list(splits.whole(models)) == ["FC10-1"]
    assert list(splits.on_splits(models)) == ["A@P1", "B@P1", "A@P2", "B@P2"]


def test_networks_are_compared_in_the_order_of_the_config(models):
    chosen = splits.compared(models, config("A@P2", "A@P1", "B@P1"))
    assert list(chosen) == ["A@P2", "A@P1", "B@P1"]
    assert splits.compared(models, config()) == {}


@pytest.mark.parametrize(
    ("networks", "told"),
    [
        (("A@P1", "A@P2", "C@P1"), "'C@P1'; known: A@P1, B@P1"),
        (("A@P1", "A@P2", "FC10-1"), "trained on a split is called 'FC10-1'"),
        (
            ("A@P1", "A@P2"),
            "two trained on one split and one trained on the other",
        ),
        (
            ("A@P1", "B@P1"),
            "two trained on one split and one trained on the other",
        ),
    ],
)
def test_networks_that_cannot_be_compared_are_refused_in_one_line(
    models, networks, told
):
    with pytest.raises(InputError) as caught:
        splits.compared(models, config(*networks))
    message = str(caught.value)
    assert message.startswith("config: training_sets.networks: ")
    assert told in message
    assert "\n" not in message
