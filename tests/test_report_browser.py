"""The site in a real browser: it sorts, filters, leads to a scheme, changes its theme, and asks nothing of a network.

Skipped, with the reason, where chromium or playwright is missing.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from pqdc.report.frame import frame_of
from pqdc.report.html import Html
from pqdc.report.plots import PLOTS, draw
from pqdc.report.result import read
from pqdc.report.site import site
from pqdc.report.table import make_table
from tests.results import MACHINES, SCHEMES, scheme, write_result

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = os.environ.get("PQDC_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(not CHROMIUM, reason="no chromium is installed (on Debian: apt-get install chromium)")

ATTACK = "</script><img src=x onerror='document.title=1'><script>document.title=1</script>"
HOSTILE = scheme(ATTACK, "\"'><b>family", 1312, 2420, "liboqs", note=ATTACK, tls_name=ATTACK)

CONTRAST = """() => {
  const linear = (part) => part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  const channel = (value) => linear(value / 255);
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const numbers = (colour) => (colour.match(/[\\d.]+/g) || []).map(Number);
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = numbers(getComputedStyle(at).backgroundColor);
      if (colour.length === 3 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || element.closest("script, noscript, style, svg, [hidden]")) continue;
    const [a, b] = [light(numbers(getComputedStyle(element).color)), light(behind(element))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) found.push(`${ratio.toFixed(2)} ${element.tagName} ${walker.currentNode.data.trim()}`);
  }
  return found;
}"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A site of two machines."""
    folder = tmp_path_factory.mktemp("site")
    schemes = (*SCHEMES, HOSTILE)
    paths = [
        write_result(folder / f"raw-{i}.json", machine=machine, seed=i, schemes=schemes)
        for i, machine in enumerate(MACHINES[:2])
    ]
    raw = {path.name: path.read_bytes() for path in paths}
    for file in site(frame_of(map(read, paths)), raw, ["old.json: a result of version 1 or 2 wanted, this is 9"]):
        target = folder / file.name
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(file.data)
    return folder


@pytest.fixture(scope="module")
def browser() -> Iterator:
    with playwright.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def page(browser):
    """A page that fails the test if it says anything on the console, or asks for anything but files beside it."""
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    page = context.new_page()
    trouble: list[str] = []
    page.on("console", lambda message: trouble.append(f"console: {message.text}"))
    page.on("pageerror", lambda error: trouble.append(f"error: {error}"))
    page.on("requestfailed", lambda request: trouble.append(f"failed: {request.url}"))
    page.on("request", lambda request: request.url.startswith(("file:", "data:")) or trouble.append(request.url))
    yield page
    context.close()
    assert trouble == []


def first_cells(page) -> list[str]:
    return page.locator("table.figures tbody tr:not([hidden]) th").all_inner_texts()


def column(page, index: int) -> list[float]:
    cells = page.locator(f"table.figures tbody tr:not([hidden]) td:nth-child({index})")
    return [float(value) for value in cells.evaluate_all("all => all.map(one => one.dataset.value)") if value]


def test_the_table_sorts_both_ways(page, folder):
    page.goto(f"file://{folder}/index.html")
    head = page.locator("th", has_text="sign (").first
    index = head.evaluate("head => head.cellIndex") + 1
    head.get_by_role("button").click()
    assert head.get_attribute("aria-sort") == "ascending"
    ascending = column(page, index)
    assert len(ascending) > 5
    assert ascending == sorted(ascending)
    head.get_by_role("button").click()
    assert head.get_attribute("aria-sort") == "descending"
    assert column(page, index) == sorted(ascending, reverse=True)


def test_the_keyboard_is_enough(page, folder):
    page.goto(f"file://{folder}/index.html")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.get_by_role("button", name="scheme").focus()
    page.keyboard.press("Enter")
    names = first_cells(page)
    assert names == sorted(names, key=str.casefold)
    page.get_by_role("button", name="Theme").focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.documentElement.dataset.theme") == "light"


def test_rows_are_chosen_by_word_family_run_and_verdict(page, folder):
    page.goto(f"file://{folder}/index.html")
    everything = len(first_cells(page))
    page.get_by_label("Search").fill("ml-dsa")
    assert {name[:6] for name in first_cells(page)} == {"ML-DSA"}
    page.get_by_label("Run").select_option("B")
    chosen = first_cells(page)
    assert page.locator("output").inner_text() == f"{len(chosen)} of {everything} rows"
    page.get_by_role("button", name="Show all").click()
    page.wait_for_function(f"document.querySelector('output').textContent === '{everything} of {everything} rows'")
    page.get_by_label("fits a credential").check()
    assert 0 < len(first_cells(page)) < everything


def test_a_scheme_has_a_page_with_its_figures_and_its_ledger(page, folder):
    page.goto(f"file://{folder}/index.html")
    page.get_by_role("link", name="ML-DSA-44").first.click()
    assert page.locator("h1").inner_text() == "ML-DSA-44"
    assert page.locator("thead th", has_text="run B").count() >= 1
    widths = page.locator(".bar span").evaluate_all("all => all.map(one => one.getBoundingClientRect().width)")
    assert len(widths) == 8
    assert max(widths) == widths[5], "the CertificateVerify of ML-DSA-44 is the largest part"
    page.get_by_role("link", name="All schemes").click()
    assert page.url.endswith("index.html#table")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast_is_enough_in_both_themes(browser, folder, scheme):
    context = browser.new_context(color_scheme=scheme)
    page = context.new_page()
    for name in ("index", "charts", "method", "downloads", "scheme/ml-dsa-44", "scheme/big"):
        page.goto(f"file://{folder}/{name}.html")
        assert page.evaluate(CONTRAST) == [], name
    page.evaluate("document.body.style.color = 'grey'")
    assert page.evaluate(CONTRAST), "what is too faint is seen"
    context.close()


def test_the_theme_is_switched_and_kept(page, folder):
    page.goto(f"file://{folder}/index.html")
    colours = []
    for theme in ("light", "dark"):
        page.get_by_role("button", name="Theme").click()
        assert page.get_by_role("button", name=f"Theme: {theme}").is_visible()
        colours.append(page.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert colours[0] != colours[1]
    page.goto(f"file://{folder}/method.html")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == colours[1]
    page.get_by_role("button", name="Theme").click()
    assert page.evaluate("document.documentElement.dataset.theme") is None


def test_charts_are_drawn_and_follow_the_theme(page, folder):
    page.goto(f"file://{folder}/charts.html")
    page.wait_for_selector("html[data-charts=drawn]")
    assert page.locator("[data-chart] svg.marks").count() == page.locator("[data-chart]").count() == 6
    label = page.locator("[data-chart] svg text").first
    before = label.get_attribute("fill")
    for _ in range(2):  # light, then dark
        page.get_by_role("button", name="Theme").click()
    page.wait_for_function(f"document.querySelector('[data-chart] svg text').getAttribute('fill') !== '{before}'")


@pytest.mark.parametrize("width", [390, 1400])
def test_no_page_is_wider_than_its_window(page, folder, width):
    page.set_viewport_size({"width": width, "height": 900})
    for name in ("index", "charts", "method", "downloads", "scheme/ml-dsa-44"):
        page.goto(f"file://{folder}/{name}.html")
        if name == "charts":
            page.wait_for_selector("html[data-charts=drawn]")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name


def test_a_name_is_a_text_and_no_markup(page, folder):
    pages = [path.relative_to(folder) for path in folder.rglob("*.html")]
    assert len(pages) > len(SCHEMES)
    for name in pages:
        page.goto(f"file://{folder}/{name}")
        if name.name == "charts.html":
            page.wait_for_selector("html[data-charts=drawn]")
        assert page.title() != "1"
        assert page.locator("img").count() == 0
        assert page.locator("script:not([src]):not([type])").count() == 0
    page.goto(f"file://{folder}/index.html")
    page.get_by_role("link", name=ATTACK).first.click()
    assert page.locator("h1").inner_text() == ATTACK


def test_what_was_refused_is_told(page, folder):
    for name in ("index", "method"):
        page.goto(f"file://{folder}/{name}.html")
        assert page.get_by_text("old.json: a result of version 1 or 2 wanted").first.is_visible()


def test_the_table_by_itself_works_too(page, folder):
    path = folder / "alone.html"
    path.write_text(Html().render(make_table(frame_of([read(folder / "raw-0.json")]))), "utf-8")
    page.goto(f"file://{path}")
    page.get_by_label("Search").fill("falcon")
    assert first_cells(page) == ["Falcon-512"]


LONG = scheme("id-MLDSA65-ECDSA-brainpoolP256r1-SHA512", "Composite ML-DSA", 2100, 3400, "liboqs")
CUT_OFF = """() => [...document.querySelectorAll("text")].filter((text) => {
  const [place, page] = [text, document.documentElement].map((one) => one.getBoundingClientRect());
  return place.left < page.left || place.right > page.right || place.top < page.top || place.bottom > page.bottom;
}).map((text) => text.textContent)"""


@pytest.mark.parametrize("name", PLOTS)
def test_no_text_of_a_plot_is_cut_off(page, tmp_path, name):
    frame = frame_of([read(write_result(tmp_path / "run.json", schemes=(*SCHEMES, LONG)))])
    (picture,) = (file for file in draw(frame, name).files if file.name.endswith(".svg"))
    (tmp_path / picture.name).write_bytes(picture.data)
    page.goto(f"file://{tmp_path}/{picture.name}")
    assert page.locator("text").count() > 10
    assert page.evaluate(CUT_OFF) == []
