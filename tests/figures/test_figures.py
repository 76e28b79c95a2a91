"""Figures: what they show, not how they look."""

import re
from functools import partial

import numpy as np
import pandas as pd
import pytest
from matplotlib import rc_context
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from torch import arange, nn, rand, zeros

from intriguing.errors import InputError
from intriguing.figures.directions import Rows, direction_figure
from intriguing.figures.distortions import distortion_figure
from intriguing.figures.examples import (
    PAIRS,
    Panel,
    adversarial_panel,
    example_figure,
    noise_panel,
)
from intriguing.figures.spectra import LEAST, spectra_figure
from intriguing.figures.style import blank
from intriguing.figures.transfer import MAP, transfer_figure
from intriguing.tables.tidy import COLUMNS
from intriguing.workflow.drawing import save_figure

TABLE = pd.DataFrame(
    [
        ("A", "A", 1.0, 0.981, 1.0, 512, 2, 1.0, "agrees"),
        ("A", "B", 0.1234, 0.101, 0.149, 512, 2, 0.327, "differs"),
        ("A", "distortion", 0.0612, 0.0587, 0.0637, 512, 2, 0.062, "undecided"),
        ("noise-0.3", "A", 0.25, 0.2, 0.3, 1024, 4, np.nan, np.nan),
        ("noise-0.3", "B", np.nan, np.nan, np.nan, pd.NA, pd.NA, 0.05, ""),
        ("noise-0.3", "distortion", 0.3, 0.2999, 0.3001, 1024, 4, 0.3, "agrees"),
    ],
    columns=COLUMNS,
)


def texts(figure):
    """List every text of a figure, in the order it was made."""
    found = figure.findobj(lambda artist: hasattr(artist, "get_text"))
    return [text.get_text() for text in found if text.get_text()]


def panel(count=PAIRS, scale=(0, 1)):
    clean = np.zeros((count, 4, 4)) + np.arange(count)[:, None, None] / 100
    classes = np.arange(count) % 10
    return Panel("title", clean, clean + 0.5, classes, (classes + 1) % 10, scale)


def test_a_panel_has_the_first_twelve_pairs_in_four_rows():
    axes = example_figure([panel(count=20)]).axes[0]
    corners = np.array([image.get_extent() for image in axes.images])
    assert len(set(corners[:, 2])) == 4
    left, right = corners[0::2], corners[1::2]
    assert np.array_equal(left[:, 2:], right[:, 2:])
    assert np.all(left[:, 1] <= right[:, 0])
    shown = [image.get_array().mean() for image in axes.images]
    assert shown == pytest.approx([i / 100 + d for i in range(12) for d in (0, 0.5)])


def test_panels_are_lettered_and_keep_their_classes_and_their_scale_of_greys():
    figure = example_figure([panel(), panel(scale=(-2, 2))])
    for axes, letter, scale in zip(figure.axes, "ab", [(0, 1), (-2, 2)], strict=False):
        assert axes.get_title("left") == f"({letter}) title"
        assert {image.get_clim() for image in axes.images} == {scale}
        classes = [text.get_text() for text in axes.texts]
        assert classes == [f"{i % 10}→{(i + 1) % 10}" for i in range(12)]


class Brightest(nn.Module):
    """The class is the place of the brightest of the first three pixels."""

    def forward(self, pixels):
        return pixels.flatten(1)[:, :3]


def test_title_of_an_adversarial_panel_has_the_numbers_of_its_images():
    clean = zeros(8, 1, 5, 5)
    clean[:, 0, 0, 0] = 0.5
    adversarial = clean.clone()
    adversarial[:6, 0, 0, 1] = 1.0  # a root mean square of 1/5 in six of eight
    found = adversarial_panel("net", Brightest(), clean, adversarial, zeros(8).long())
    assert "net" in found.title
    assert "distortion 0.150 (mean over 8 images)" in found.title
    accuracy = re.search(r"accuracy ([\d.]+) % \[([\d.]+), ([\d.]+)\]", found.title)
    value, low, high = map(float, accuracy.groups())
    assert low < value == 25 < high
    assert found.before.tolist() == [0] * 8
    assert found.after.tolist() == [1] * 6 + [0] * 2


def test_noise_is_not_clipped_and_names_every_network():
    clean = rand(64, 1, 10, 10)
    models = {
        "first": Brightest(),
        "second": nn.Sequential(Brightest(), nn.Linear(3, 3)),
    }
    models["second"].requires_grad_(False)
    found = noise_panel(models, clean, arange(64) % 3, deviation=1.0, seed=0)
    assert (found.distorted - found.clean).std() == pytest.approx(1, abs=0.05)
    assert found.distorted.min() < 0
    expected = found.distorted.reshape(64, -1)[:, :3].argmax(1)
    assert found.after.tolist() == expected.tolist()
    assert re.search(r"deviation 1\nfirst: accuracy .+\nsecond: accuracy", found.title)
    assert sum(found.scale) == 0


def test_cells_of_the_map_have_the_numbers_of_the_table():
    shown = texts(transfer_figure(TABLE, "title"))
    for expected in (
        ["100.0", "[98.1, 100.0]", "paper 100 ="],
        ["12.3", "[10.1, 14.9]", "paper 32.7 ≠"],
        ["0.0612", "[0.0587, 0.0637]", "paper 0.062 ~"],
    ):
        start = shown.index(expected[0])
        assert shown[start : start + 3] == expected
    assert "paper 5" in shown
    assert "n/a" in shown
    assert "nan" not in " ".join(shown)


def test_cells_have_the_colour_of_their_rate_and_distortions_stand_apart():
    axes = transfer_figure(TABLE, "title").axes[0]
    colours = [patch.get_facecolor() for patch in axes.patches]
    assert len(colours) == 4
    assert colours[:3] == [MAP(1.0), MAP(0.1234), MAP(0.25)]
    first, second = np.diff(axes.get_xticks())
    assert np.diff(axes.get_yticks()).item() > 1 == first < second


def test_note_of_the_map_tells_marks_images_and_seeds():
    note = " ".join(transfer_figure(TABLE, "title").get_supxlabel().split())
    assert "= agrees, ≠ differs, ~ undecided" in note
    assert "of a cell: 512 to 1,024; seeds: 2 to 4." in note
    bare = TABLE.assign(verdict=np.nan, n=512, seeds=1)
    note = " ".join(transfer_figure(bare, "title").get_supxlabel().split())
    assert "agrees" not in note
    assert "of a cell: 512; seeds: 1." in note


def luminance(colour):
    """Return the relative luminance that the WCAG 2.2 define for sRGB."""
    channel = np.array(to_rgb(colour))
    curve = ((channel + 0.055) / 1.055) ** 2.4
    linear = np.where(channel <= 0.04045, channel / 12.92, curve)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def test_numbers_can_be_read_on_every_colour_of_the_map():
    rates = np.linspace(0, 1, 257)
    names = [f"N{i}" for i in range(len(rates))]
    table = pd.DataFrame({"row": names, "column": "A", "value": rates})
    axes = transfer_figure(
        table.reindex(columns=COLUMNS).assign(n=1, seeds=1), ""
    ).axes[0]
    letters = [text.get_color() for text in axes.texts[::3]]
    for rate, letter in zip(rates, letters, strict=True):
        low, high = sorted((luminance(MAP(rate)), luminance(letter)))
        assert (high + 0.05) / (low + 0.05) >= 4.5  # level AA


@pytest.fixture
def spreads():
    rng = np.random.default_rng(0)
    return {"A": rng.gamma(9, 0.007, 700), "B": rng.gamma(16, 0.006, 300)}


AVERAGES = pd.DataFrame(
    [
        ("A", "test-error", 0.5, 0.4, 0.6, 100, 1, 0.5, "agrees"),
        ("A", "distortion", 0.063, 0.061, 0.066, 700, 1, 0.07, "differs"),
        ("B", "distortion", 0.096, 0.092, 0.1, 300, 1, np.nan, np.nan),
    ],
    columns=COLUMNS,
)


def test_histograms_have_equal_areas_and_hold_every_image(spreads):
    axes = distortion_figure(spreads, AVERAGES).axes[0]
    areas = [
        float(((steps.baseline - steps.values) * np.diff(steps.edges)).sum())
        for steps in (patch.get_data() for patch in axes.patches)
    ]
    assert len(areas) == 2
    assert areas[0] == pytest.approx(areas[1])
    assert areas[0] > 0


def test_means_intervals_and_the_paper_are_those_of_the_table(spreads):
    axes = distortion_figure(spreads, AVERAGES).axes[0]
    marks = [
        (line.get_marker(), float(line.get_xdata()[0]))
        for line in axes.lines
        if line.get_marker() in ("o", "D")
    ]
    assert marks == [("o", 0.063), ("D", 0.07), ("o", 0.096)]
    ends = [bars.get_segments()[0][:, 0] for bars in axes.collections]
    assert np.allclose(ends, [[0.061, 0.066], [0.092, 0.1]])
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert labels == ["A\n700 images", "B\n300 images"]
    assert axes.yaxis_inverted()


NO_IMAGES = {"A": np.array([])}


@pytest.mark.parametrize(
    ("draw", "table", "told"),
    [
        (partial(distortion_figure, {"C": np.ones(1)}), AVERAGES, "distortions of C"),
        (partial(distortion_figure, NO_IMAGES), AVERAGES, "distortions of A"),
        (
            partial(transfer_figure, title="title"),
            TABLE[TABLE["column"] == "distortion"],
            "no column of rates",
        ),
        (spectra_figure, {"A": {}}, "at least one network"),
    ],
)
def test_a_figure_with_nothing_to_show_is_refused(draw, table, told):
    with pytest.raises(InputError, match=told):
        draw(table)


def drawn(folder, figure):
    save_figure(figure, folder / "a.png")
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_each_form_has_the_same_bytes_whatever_the_readers_style(tmp_path, spreads):
    def figures():
        return [
            example_figure([panel()]),
            transfer_figure(TABLE, "title"),
            distortion_figure(spreads, AVERAGES),
        ]

    first = [drawn(tmp_path / f"1{i}", one) for i, one in enumerate(figures())]
    with rc_context({"font.size": 14, "image.cmap": "jet", "savefig.dpi": 30}):
        again = [drawn(tmp_path / f"2{i}", one) for i, one in enumerate(figures())]
    assert first == again
    for files in first:
        assert sorted(files) == ["a.pdf", "a.png", "a.svg"]
        assert files["a.png"].startswith(b"\x89PNG")
        assert files["a.pdf"].startswith(b"%PDF")
        assert b"<svg" in files["a.svg"]


def test_a_failed_save_leaves_the_old_files_and_no_new_ones(tmp_path):
    save_figure(blank(1, 1), tmp_path / "a.png")
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}

    class Failing(Figure):
        def savefig(self, path, **how):
            super().savefig(path, **how)
            if path.suffix == ".pdf":
                raise OSError("no space left on device")

    with pytest.raises(OSError, match="no space"):
        save_figure(Failing(figsize=(2, 2)), tmp_path / "a.png")
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_every_line_of_top_images_shows_its_images_in_order():
    images = np.arange(2 * 3 * 4 * 4).reshape(2, 3, 4, 4) / 96
    panels = [Rows("single units", ["u", "v"], images)]
    panels += [Rows("random", ["r", "s"], 1 - images)]
    figure = direction_figure({"pool": panels, "last": panels}, 5.0)
    assert len(figure.axes) == 4
    assert texts(figure).count("u") == 2
    drawn = figure.axes[0].get_images()
    assert len(drawn) == 6
    for shown, image in zip(drawn, images.reshape(6, 4, 4), strict=True):
        np.testing.assert_array_equal(shown.get_array(), image)
    assert "(d) last: random" in texts(figure)


def test_spectra_have_a_panel_a_network_and_a_line_a_layer_of_many_three_named():
    networks = {"A": {"conv1": [3.0, 2.0, 1.0], "fc1": [5.0, 0.0]}, "B": {"fc1": [1.0]}}
    figure = spectra_figure(networks)
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["A", "B"]
    lines = {line.get_label(): line for line in figure.axes[0].get_lines()}
    np.testing.assert_array_equal(lines["conv1"].get_ydata(), [3, 2, 1])
    np.testing.assert_array_equal(lines["fc1"].get_ydata(), [5, LEAST])
    assert lines["conv1"].get_linestyle() != lines["fc1"].get_linestyle()
    (axes,) = spectra_figure({"A": {f"layer{i}": [2, 1] for i in range(25)}}).axes
    named = [text.get_text() for text in axes.get_legend().get_texts()]
    assert named == ["layer0", "layer12", "layer24"]
    assert len([x for x in axes.get_lines() if len(x.get_xdata()) == 2]) >= 25
