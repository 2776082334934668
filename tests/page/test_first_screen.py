"""What a reader sees first, in a real browser: what ran, the main figure, three counts that open."""

import json
from collections import Counter

import pytest
from browsing import CHROMIUM, PHONE, SCREEN

from lotus.page.verdict_counts import WOULD_TELL

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")

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
    assert page.locator(".main img").bounding_box()["width"] >= 900
    for line in page.locator(".unmeasured").all():
        assert line.bounding_box()["y"] < SCREEN["height"]
    assert page.locator(".main figure").get_attribute("id") == "figure-avg-gap"
    assert page.locator("[id='figure-avg-gap']").count() == 1


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


def test_on_a_phone_the_figure_scrolls_in_its_box_and_the_counts_stand_below_each_other(visit):
    page = visit(PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    box, picture = (page.locator(f".main {each}").bounding_box() for each in (".zoom", "img"))
    assert box["x"] + box["width"] <= PHONE["width"]
    assert picture["width"] >= 700
    counts = [each.bounding_box() for each in page.locator(".counts > details").all()]
    assert all(each["x"] + each["width"] <= PHONE["width"] for each in counts)
    assert [each["y"] for each in counts] == sorted({each["y"] for each in counts})
    page.locator("#unfold").evaluate("(e) => e.click()")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
