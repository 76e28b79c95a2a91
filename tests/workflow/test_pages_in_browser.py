"""The report and the explorer as a reader sees them, in a browser without a screen."""

import runpy
import shutil

import pytest
import torch
from conftest import ROOT
from networks import images_of, random_perceptron, store
from pages import table_result
from safetensors.torch import save_file

from intriguing.workflow.report.page import report_page

browsers = pytest.importorskip(
    "playwright.sync_api", reason="needs playwright (the extra `browser`)"
)
NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = next(filter(None, map(shutil.which, NAMES)), None)
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium"),
]
WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 360, "height": 740}


@pytest.fixture(scope="module")
def browser():
    # The sandbox does not start as root, as in a container.
    options = {"executable_path": CHROMIUM, "args": ["--no-sandbox"]}
    with (
        browsers.sync_playwright() as started,
        started.chromium.launch(**options) as found,
    ):
        yield found


def opened(browser, path, viewport=WIDE, scheme="light"):
    """Return a page, which must neither load anything else nor fail."""
    page = browser.new_page(viewport=viewport, color_scheme=scheme)
    page.faults = []
    page.on("pageerror", lambda error: page.faults.append(str(error)))
    page.on("request", lambda one: page.faults.append(one.url))
    page.goto(path.as_uri())
    allowed = (path.as_uri(), "data:")
    assert [fault for fault in page.faults if not fault.startswith(allowed)] == []
    return page


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    names = {"models": "Table 1", "cross-model": "Table 2", "units": "", "sae": ""}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        shown = [table_result(name, paper) for name, paper in names.items()]
        text = report_page(folder, shown)
    (folder / "report.html").write_text(text, encoding="utf-8")
    return folder / "report.html"


NETWORKS = {"A": random_perceptron([784, 20, 10], [False, True])}
NETWORKS["B"] = random_perceptron([784, 10], [True])
CLEAN = (255 * images_of(2, 1, 28, 28)).round() / 255
MADE = {
    "clean": CLEAN,
    "adversarial": images_of(2, 1, 28, 28, seed=1),
    "label": torch.tensor([3, 3]),
    "target": torch.tensor([8, 5]),
    "index": torch.arange(2),
}


@pytest.fixture(scope="module")
def explorer(tmp_path_factory):
    folder = tmp_path_factory.mktemp("explorer")
    save_file(MADE, folder / "images")
    weights = {name: str(store(folder / name, one)) for name, one in NETWORKS.items()}
    write = runpy.run_path(str(ROOT / "scripts/transfer/explorer.py"))["run"]
    images = {"A": {"lbfgs": str(folder / "images")}}
    text = write(ROOT / "workflow/report/explore.html", weights, images, 2)
    (folder / "explore.html").write_text(text, encoding="utf-8")
    return folder / "explore.html"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("name", ["report", "explorer"])
def test_a_page_is_no_wider_than_the_screen(browser, request, name, viewport, scheme):
    page = opened(browser, request.getfixturevalue(name), viewport, scheme)
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= viewport["width"]
    colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (colour == "rgb(255, 255, 255)") == (scheme == "light")


def test_a_column_sorts_by_number_from_the_keyboard(browser, report):
    page = opened(browser, report)
    heads = page.locator("#table-models thead button")
    cells = page.locator("#table-models tbody td:nth-child(4)")
    for ascending in (True, False):
        heads.nth(3).focus()
        page.keyboard.press("Enter")
        found = [float(text.split("[")[0]) for text in cells.all_inner_texts()]
        assert found == sorted(found, reverse=not ascending)


def test_the_first_column_stays_when_a_table_scrolls(browser, report):
    page = opened(browser, report, NARROW)
    name = page.locator("#table-sae tbody th").first
    before = name.bounding_box()
    page.locator("#table-sae .scroll").evaluate("one => one.scrollLeft = 200")
    assert name.bounding_box()["x"] == pytest.approx(before["x"], abs=1)
    assert page.locator("#table-sae .scroll").evaluate("one => one.scrollLeft") == 200


def shown(page, scale):
    """Return the predictions in the explorer for x and for x + s r."""
    page.locator("#scale").fill(str(scale))
    rows = [line.split("\t") for line in page.locator("#networks tr").all_inner_texts()]
    return {name: (int(clean), int(changed)) for name, clean, changed, *_ in rows}


@pytest.mark.parametrize("scale", [0, 1, 2.5])
def test_the_explorer_predicts_what_the_networks_predict(browser, explorer, scale):
    page = opened(browser, explorer)
    for place, target in enumerate(MADE["target"]):
        page.locator("#target").select_option(label=str(int(target)))
        x, found = CLEAN[place : place + 1], MADE["adversarial"][place : place + 1]
        changed = (x + scale * (found - x)).clamp(0, 1)
        expected = {
            name: tuple(int(network(images).argmax()) for images in (x, changed))
            for name, network in NETWORKS.items()
        }
        assert shown(page, scale) == expected
