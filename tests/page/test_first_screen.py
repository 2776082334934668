"""What a reader sees first, in a real browser: what ran, the main figure, three counts that open."""

import json
from collections import Counter

import pytest
from browsing import CHROMIUM, PHONE, SCREEN
from metrics_files import METHODS, scores

from lotus.figures.avg_gap import avg_gap
from lotus.figures.style import save_as, style
from lotus.page.verdict_counts import WOULD_TELL

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")

SHAPE = "(image) => image.naturalWidth / image.naturalHeight"
ANOTHER_PICTURE = """
async (image, address) => {
  image.src = address;
  await image.decode();
  image.closest("figure").style.setProperty("--shape", image.naturalWidth / image.naturalHeight);
}
"""
"""Shows another picture in place of the figure, as the page would show it."""
OVERFLOW = "(box) => [box.scrollWidth - box.clientWidth, box.scrollHeight - box.clientHeight]"
WORDS = {"holds": "hold", "does not hold": "not hold", "cannot be told from these runs": "told"}


def test_the_first_screen_holds_what_ran_the_figure_and_the_counts(visit):
    page = visit(SCREEN)
    for selector in ("h1", ".lead", ".headline", ".main img", ".main figcaption"):
        box = page.locator(selector).first.bounding_box()
        assert 0 <= box["y"] < box["y"] + box["height"] <= SCREEN["height"], selector
    counts = page.locator(".counts > details > summary")
    boxes = [counts.nth(i).bounding_box() for i in range(counts.count())]
    assert len(boxes) == 3
    assert len({box["y"] for box in boxes}) == 1
    assert all(box["y"] + box["height"] <= SCREEN["height"] for box in boxes)
    for line in page.locator(".unmeasured").all():
        assert line.bounding_box()["y"] < SCREEN["height"]
    assert page.locator(".main figure").get_attribute("id") == "figure-avg-gap"
    assert page.locator("[id='figure-avg-gap']").count() == 1


@pytest.fixture
def picture(write_metrics, tmp_path):
    """Draws the main figure with so many panels."""

    def draw(panels):
        names = [f"instance-{share}" for share in range(10, 10 + panels)]
        rows = {row: scores(0.9, 1.0, 0.8, 0.7, avg_gap=0.05) for row in METHODS}
        files = [
            write_metrics(protocol, 1, about={"scenario": name}, **rows)
            for name in names
            for protocol in ("corrected", "released")
        ]
        path = tmp_path / f"{panels}.svg"
        with style():
            save_as(avg_gap(files), path)
        return path

    return draw


@pytest.mark.parametrize("viewport", [SCREEN, PHONE], ids=["screen", "phone"])
def test_the_main_figure_is_seen_whole(visit, picture, viewport):
    page = visit(viewport)
    image, box = page.locator(".main img"), page.locator(".main .zoom")
    assert float(
        page.locator(".main figure").evaluate(
            "(figure) => figure.style.getPropertyValue('--shape')"
        )
    ) == pytest.approx(image.evaluate(SHAPE), abs=0.01)
    for panels in (1, 2, 3, 5):
        image.evaluate(ANOTHER_PICTURE, picture(panels).as_uri())
        assert max(box.evaluate(OVERFLOW)) <= 1, panels
        shown = image.bounding_box()
        assert shown["width"] / shown["height"] == pytest.approx(image.evaluate(SHAPE), rel=0.02)
        assert shown["x"] + shown["width"] <= viewport["width"], panels
        assert shown["height"] <= viewport["height"], panels
        assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"], panels
        if viewport == SCREEN:
            seen = [image, *page.locator(".main figcaption, .counts summary").all()]
            for each in seen:
                found = each.bounding_box()
                assert found["y"] + found["height"] <= SCREEN["height"], panels
            assert shown["width"] >= 900 or shown["height"] >= 500, panels


def test_what_ran_is_said_in_numbers_of_the_experiment(visit, results):
    said = visit(SCREEN).locator(".lead").inner_text()
    described = json.loads((results / "experiment.json").read_text())
    seeds = {seed for cell in described["benchmarks"] for seed in cell["runs"]}
    assert f"{len(seeds)} seed" in said
    cells = [*described["benchmarks"], *described["ablations"]]
    runs = {path for cell in cells for rows in cell["runs"].values() for path in rows.values()}
    assert f"{len(runs)} models" in said


def test_the_counts_are_those_of_the_verdicts_and_open_by_keys(visit, results):
    page = visit(SCREEN)
    claims = json.loads((results / "claims.json").read_text())["claims"]
    found = Counter(ruling["verdict"] for claim in claims for ruling in claim["rulings"])
    printed = Counter(claim["printed"]["verdict"] for claim in claims)
    counts = page.locator(".counts > details")
    for place, (verdict, words) in enumerate(WORDS.items()):
        each = counts.nth(place)
        said = " ".join(each.locator("summary").inner_text().split())
        assert f" {found[verdict]} " in f" {said} "
        assert words in said
        assert f"as printed {printed[verdict]}" in said
        assert each.locator("li .remark").count() == found[verdict]
        ruled = {
            f"#claim-{claim['id']}"
            for claim in claims
            if verdict in (claim["printed"]["verdict"], *(r["verdict"] for r in claim["rulings"]))
        }
        links = each.locator("li a")
        each.locator("summary").press("Enter")
        assert not ruled or links.first.is_visible()
        assert {link.get_attribute("href") for link in links.all()} == ruled
        needed = Counter(
            ruling["would_tell"][0]["kind"]
            for claim in claims
            for ruling in claim["rulings"]
            if ruling["verdict"] == verdict and ruling["would_tell"]
        )
        for kind, number in needed.items():
            assert f"{WOULD_TELL[kind]} {number}" in said
    settled = found["holds"] + found["does not hold"]
    every = settled + found["cannot be told from these runs"]
    assert f"{settled} of {every} verdicts" in page.locator(".headline").inner_text()


def test_on_a_phone_nothing_is_wider_than_the_screen_and_the_counts_stand_below_each_other(visit):
    page = visit(PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert page.locator(".main img").bounding_box()["width"] >= 340
    counts = [each.bounding_box() for each in page.locator(".counts > details").all()]
    assert all(each["x"] + each["width"] <= PHONE["width"] for each in counts)
    assert [each["y"] for each in counts] == sorted({each["y"] for each in counts})
    page.locator("#unfold").evaluate("(e) => e.click()")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
