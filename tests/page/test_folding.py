"""The report is folded: short at first, with everything in it a step away."""

import pytest
from browsing import CHROMIUM, SCREEN

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")

MOST = 20_000
"""Pixels that the folded page is long at most."""
OPEN = ["summary", "facts", "short"]
"""Parts that are read without a click."""
LENGTH = "document.documentElement.scrollHeight"
HIDDEN = """
() => [...document.querySelectorAll("main [id], main td, main li, main figcaption")]
  .filter((e) => !e.closest("details.long") && !e.checkVisibility()).map((e) => e.outerHTML.slice(0, 100))
"""
"""What no reader sees, but for the long lists of runs."""


def test_every_part_but_the_first_is_folded_below_a_line_that_says_what_is_inside(visit):
    page = visit(SCREEN)
    parts = page.eval_on_selector_all(
        "main > section",
        """all => all.map((e) => [e.id, e.querySelector(":scope > details.fold > summary")?.textContent
        ?? null, e.querySelectorAll("table").length, e.querySelectorAll("figure").length])""",
    )
    assert [part for part, said, _, _ in parts if said is None] == OPEN
    for part, said, tables, figures in parts[len(OPEN) :]:
        for number, kind in ((tables, "table"), (figures, "figure")):
            words = f"{number} {kind}" if number == 1 else f"{number} {kind}s"
            assert (words in said) == bool(number), part
        assert len(said.strip()) > 20, part
    assert page.evaluate(LENGTH) <= MOST


def test_nothing_is_lost_and_all_of_it_unfolds_at_once(visit):
    page = visit(SCREEN)
    short = page.evaluate(LENGTH)
    assert page.evaluate(HIDDEN)
    button = page.locator("#unfold")
    button.press("Enter")
    assert page.evaluate(HIDDEN) == []
    assert page.evaluate(LENGTH) > 4 * short
    button.press("Enter")
    assert page.evaluate(LENGTH) == short


def test_a_link_to_a_folded_part_unfolds_it_again_and_again(visit):
    page = visit(SCREEN)
    count = page.locator(".counts > details", has=page.locator("a")).first
    count.locator("summary").click()
    link = count.locator("a").first
    target = page.locator(link.get_attribute("href"))
    rule = target.get_by_text("Rule.")
    for _ in range(2):
        assert not rule.is_visible()
        link.click()
        assert rule.is_visible()
        assert -1 <= target.bounding_box()["y"] < SCREEN["height"] / 2
        target.locator("details").first.evaluate("(e) => { e.open = false; }")


@pytest.mark.parametrize("selector", ["section", ".entry", "tbody[id]"])
def test_an_address_leads_into_a_folded_part(visit, selector):
    anchor = visit(SCREEN).locator(f"main {selector}").last.get_attribute("id")
    page = visit(SCREEN, anchor=anchor)
    target = page.locator(f"[id='{anchor}']")
    page.wait_for_function(
        "(id) => document.getElementById(id).getBoundingClientRect().top < innerHeight", arg=anchor
    )
    assert target.is_visible()
    assert target.locator(":scope > details.fold:not([open])").count() == 0


def test_contents_do_not_follow_parts_that_are_folded(visit):
    page = visit(SCREEN)
    last = page.locator("#contents li a").last
    last.click()
    page.wait_for_function(
        "() => document.querySelector('#contents li:last-child a[aria-current]')"
    )
    current = page.locator("#contents [aria-current]")
    assert page.locator(current.get_attribute("href")).is_visible()


def test_printing_unfolds_without_the_script_too(browser, results):
    context = browser.new_context(java_script_enabled=False, viewport=SCREEN)
    page = context.new_page()
    page.goto((results / "report/index.html").as_uri())
    cells = page.locator("section > .fold td[data-value]:not(.long *)")
    assert not cells.first.is_visible()
    page.emulate_media(media="print")
    assert cells.first.is_visible()
    assert cells.last.bounding_box()["height"] > 0
    context.close()
