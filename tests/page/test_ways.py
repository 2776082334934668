"""Every number of the page opens the way back from it, by the mouse and by keys."""

import json
import re
from pathlib import Path

import pytest
from browsing import CHROMIUM, CONTRASTS, PHONE, unfolded

from lotus.data.forget_sheet import read_forget_sheet
from lotus.data.splits import load_forget_set
from lotus.lineage.lookup import look_up
from lotus.records.files import sha256

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
FIRST = "table:has(tr.reference) tbody tr:not(.reference) button.number"


@pytest.fixture(scope="module")
def told(results):
    """What the page holds of its numbers."""
    text = (results / "report/index.html").read_text(encoding="utf-8")
    (held,) = re.findall(
        r'<script type="application/json" id="ways">(.*?)</script>', text, re.DOTALL
    )
    return json.loads(held)


def test_every_number_of_a_table_opens(seen):
    numbers = seen.eval_on_selector_all("td[data-value]", "all => all.length")
    assert numbers > 1000
    assert seen.locator("td[data-value]:not(:has(> button.number))").count() == 0
    # Settings and versions, which no step computed, stand in tables of text.
    lacking = seen.eval_on_selector_all(
        "table:not(.plain) td:not(.name)",
        r"all => all.filter((e) => /^[-−+]?\d[\d.,]*( |$)/.test(e.textContent) && !e.dataset.way)"
        ".map((e) => e.outerHTML)",
    )
    assert lacking == []


def test_a_number_is_opened_and_closed_by_keys_and_keeps_the_focus(page):
    dialog = page.locator("#way")
    page.locator("thead th button").last.focus()
    button = page.locator(FIRST).first
    row = page.locator("table:has(tr.reference) tbody tr:not(.reference) th a").first
    row.focus()
    page.keyboard.press("Tab")
    assert button.evaluate("(e) => e === document.activeElement")
    page.keyboard.press("Enter")
    assert dialog.is_visible()
    assert page.locator("#way :focus").count() == 1
    said = dialog.inner_text()
    for part in (
        "Formula",
        "Over the seeds",
        "Forget images",
        "What vouches for it",
        "Files and commands",
    ):
        assert part in said
    assert button.inner_text().split()[0] in dialog.locator("h2").inner_text()
    page.keyboard.press("Escape")
    assert not dialog.is_visible()
    assert button.evaluate("(e) => e === document.activeElement")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    place = page.evaluate(
        "() => { const cell = document.activeElement.parentElement; "
        "return [cell.cellIndex, cell.parentElement.rowIndex]; }"
    )
    before = button.evaluate("(e) => [e.parentElement.cellIndex, e.closest('tr').rowIndex]")
    assert place == [before[0] + 1, before[1] + 1]


def test_the_forget_images_are_seen_at_once_in_the_order_of_their_list(page, results):
    page.locator(FIRST).first.click()
    tiles = page.locator("#way .tiles").first.locator(".tile")
    assert tiles.first.is_visible()
    assert page.locator("#way .tiles").first.evaluate(
        "async (box) => { const image = new Image(); image.src = getComputedStyle(box)"
        ".getPropertyValue('--sheet').slice(5, -2); await image.decode(); return image.naturalWidth; }"
    )
    labels = tiles.evaluate_all("all => all.map((e) => e.ariaLabel)")
    sheet = read_forget_sheet(next((results / "digits/forgotten").rglob("instance-10.json")))
    seen = [
        [f"no. {at}, {name}" for at, name in zip(each.positions, each.classes, strict=True)]
        for path in (results / "digits/forgotten").rglob("*.json")
        if (each := read_forget_sheet(path))
    ]
    assert len(labels) == len(sheet.positions) == 100
    assert labels in seen


def test_an_attestation_vouches_for_the_runs_that_it_has_and_no_others(page):
    page.locator(FIRST).first.click()
    assert "No attestation lies beside these results" in page.locator("#way").inner_text()
    page.keyboard.press("Escape")
    runs = page.evaluate(
        "() => ways.files.map(([path]) => path).filter((path) => path.endsWith('corrected/lotus/run.json'))"
    )
    folders = [run.removesuffix("/run.json") for run in runs]
    page.evaluate(
        "(found) => ways.vouched.attested.push({ said: 'a.json: 2 runs made again.', findings: found })",
        dict.fromkeys(folders, "same bytes"),
    )
    page.locator(FIRST).first.click()
    said = page.locator("#way").inner_text()
    assert "a.json: 2 runs made again. Of the 4 runs behind this number it has 2: " in said
    assert said.count("same bytes") == 2
    page.keyboard.press("Escape")
    page.locator("#paper details:not(.fold) td button.number").first.evaluate("(e) => e.click()")
    assert "It has none of the runs behind this number (0)." in page.locator("#way").inner_text()


def test_all_numbers_lead_to_forget_images_or_say_that_there_are_none(told):
    assert told["ways"]
    without = {
        told["formulas"][formula]["title"]
        for formula, _, _, _, _, basis, _ in told["ways"]
        if not told["bases"][basis][2]
    }
    others = {title for title in without if not title.endswith("as printed")}
    # Counts of a store, and the seconds of original models, which forgot nothing.
    assert others <= {"Images", "Classes", "Seconds"}


def test_values_over_the_seeds_are_those_of_the_metrics_files(told, results):
    stated = {}
    for path in results.glob("digits/resnet18/seed*/instance-10/corrected/metrics.json"):
        content = json.loads(path.read_text())
        stated[content["seed"]] = content["rows"]["lotus"]["jsd"]
    assert len(stated) == 2
    found = [
        {seed: text for seed, text, _ in seeds}
        for formula, row, where, _, seeds, _, _ in told["ways"]
        if told["formulas"][formula]["title"] == "JSD"
        and told["texts"][row] == "LoTUS"
        and "10 % forgotten" in told["texts"][where]
    ]
    assert {seed: f"{value:.3f}" for seed, value in stated.items()} in found


def test_files_have_the_digests_that_they_have_here_and_stand_once(told, results, monkeypatch):
    monkeypatch.chdir(results.parent)
    paths = [path for path, _ in told["files"]]
    assert len(paths) == len({*paths}) > 100
    # The page's own step wrote its record after it.
    for path, digest in told["files"]:
        assert sha256(Path(path)) == digest, path


def test_the_command_that_checks_a_number_finds_it(told, results, monkeypatch):
    monkeypatch.chdir(results.parent)
    asked = {
        ":".join(filter(None, (told["texts"][part] for part in way[6])))
        for way in told["ways"]
        if way[6]
    }
    assert len(asked) > 500
    by_table = {text.split(":")[0]: text for text in sorted(asked)}
    for text in by_table.values():
        found = look_up(text)
        assert found.cell is None or len(found.lines) == 1, text


def test_the_places_of_forget_images_are_those_of_the_set(told, results):
    for each in told["forgotten"]:
        chosen = load_forget_set(results.parent / each["file"])
        ends = [part.split("–") for part in each["positions"].split(", ")]
        places = [at for end in ends for at in range(int(end[0]), int(end[-1]) + 1)]
        assert places == sorted(chosen.forget.tolist())


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_opens_can_be_read_and_fits_a_narrow_page(visit, scheme):
    page = unfolded(visit(PHONE, scheme))
    page.locator(FIRST).first.click()
    page.evaluate("document.querySelectorAll('#way details').forEach((e) => { e.open = true; })")
    assert not [line for line in page.evaluate(CONTRASTS) if line[0] < 4.5]
    width, inner = page.locator("#way").evaluate("(e) => [e.clientWidth, e.scrollWidth]")
    assert inner <= width <= PHONE["width"]


def test_without_script_numbers_stand_as_text(browser, results):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((results / "report/index.html").as_uri())
    cell = page.locator("table:has(tr.reference) tbody td[data-value]").first
    assert re.match(r"[\d.]+", cell.text_content())
    assert page.locator("#way").is_hidden()
    context.close()


def test_the_same_results_give_the_same_page_to_the_byte(results, write_again):
    assert write_again().read_bytes() == (results / "report/index.html").read_bytes()
