"""The report in a real browser: links, navigation, sorting, figures, themes, print, narrow pages."""

from itertools import pairwise
from urllib.parse import unquote, urlsplit

import pytest
from browsing import CHROMIUM, COLUMNS, CONTRASTS, DESKTOP, OUTLINE, PHONE, unfolded

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")

THEMES = ["light", "dark"]


def test_every_link_leads_somewhere(seen, results):
    here = results / "report/index.html"
    ids = seen.eval_on_selector_all("[id]", "all => all.map((e) => e.id)")
    assert len(ids) == len(set(ids))
    links = seen.eval_on_selector_all(
        "[href], img[src]",
        """
        all => all.map((e) => e.getAttribute("href") ?? e.getAttribute("src"))""",
    )
    files = set()
    for link in links:
        parts = urlsplit(link)
        if parts.scheme in ("http", "https", "data"):
            continue
        if parts.path:
            files.add(here.parent / unquote(parts.path))
        else:
            assert parts.fragment in ids, link
    assert len(files) > 50
    assert not [path for path in files if not path.is_file()]


def test_a_page_of_its_own_under_10_mb(seen, results):
    assert (results / "report/index.html").stat().st_size < 10_000_000
    sources = seen.eval_on_selector_all("figure img", "all => all.map((e) => e.src)")
    assert sources
    assert all(source.startswith("data:image/svg+xml") for source in sources)
    assert seen.evaluate(
        "() => [...document.images].every((e) => e.complete && e.naturalWidth > 0)"
    )


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_page_itself_does_not_scroll_sideways(visit, viewport):
    page = visit(viewport)
    page.evaluate("document.querySelectorAll('details').forEach((e) => { e.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]


def test_the_contents_lead_to_what_they_name_and_follow_the_reader(page):
    entries = page.locator("#contents li a")
    assert entries.count() >= 8
    for i in (entries.count() // 2, entries.count() - 1, 0):
        entry = entries.nth(i)
        entry.click()
        target = page.locator(entry.get_attribute("href"))
        assert target.bounding_box()["y"] < DESKTOP["height"] / 2
        page.wait_for_function(
            "(i) => document.querySelectorAll('#contents li a')[i].ariaCurrent === 'true'", arg=i
        )
        assert page.locator("#contents [aria-current]").count() == 1


def test_the_contents_of_a_narrow_page_open_by_a_button(visit):
    page = visit(PHONE)
    menu, contents = page.locator("#menu"), page.locator("#contents")
    assert not contents.is_visible()
    menu.press("Enter")
    assert contents.is_visible()
    assert menu.get_attribute("aria-expanded") == "true"
    page.keyboard.press("Escape")
    assert not contents.is_visible()
    menu.click()
    contents.locator("li a").last.click()
    assert not contents.is_visible()
    assert menu.get_attribute("aria-expanded") == "false"
    assert page.locator(".bar").bounding_box()["y"] == 0


def test_the_first_column_of_a_wide_table_stays(visit):
    page = unfolded(visit(PHONE))
    table = page.locator("table:has(tr.reference)").first
    head = table.locator("tbody th").first
    before = head.bounding_box()["x"]
    moved = table.evaluate(
        "(e) => { const box = e.closest('.scroll'); box.scrollLeft = 200; return box.scrollLeft; }"
    )
    assert moved > 50
    assert head.bounding_box()["x"] == pytest.approx(before, abs=1)


def in_order(rows, sign):
    """The texts of a sorted column, by the stated rule: reference rows first, as they were; numbers, then
    texts; cells without a number last."""

    def key(row):
        if row["value"] is not None:
            return (0, sign * float(row["value"]))
        return (1, 0) if row["text"] not in ("", "–") else (2, 0)

    top = [row for row in rows if row["reference"]]
    return top + sorted((row for row in rows if not row["reference"]), key=key)


def test_tables_are_sorted_by_their_numbers_and_restored(page):
    table = page.locator("table:has(tr.reference)").first
    columns = table.evaluate(COLUMNS)
    numbers = [
        i
        for i, column in enumerate(columns)
        if len({row["value"] for row in column["rows"] if row["value"] is not None}) > 3
    ]
    assert len(numbers) >= 5
    for i in numbers:
        rows = columns[i]["rows"]
        head = table.locator("thead th").nth(i)
        for sign, order in ((1, "ascending"), (-1, "descending")):
            head.locator("button").click()
            assert head.get_attribute("aria-sort") == order
            assert table.locator("[aria-sort]").count() == 1
            found = table.evaluate(COLUMNS)[i]["rows"]
            assert [row["value"] for row in found] == [row["value"] for row in in_order(rows, sign)]
        head.locator("button").press("Enter")
        assert head.get_attribute("aria-sort") is None
        assert table.evaluate(COLUMNS) == columns


def test_numbers_are_not_sorted_as_text(page):
    table = page.locator("table:has(tr.reference)").first
    values = [9, 10, -1.5, 0.001, 1e-05, 100, -20]
    table.evaluate(
        """(table, values) => [...table.tBodies[0].rows]
        .filter((row) => !row.classList.contains("reference")).slice(0, values.length)
        .forEach((row, i) => { row.cells[1].dataset.value = values[i]; })""",
        values[: table.locator("tbody tr:not(.reference)").count()],
    )
    rows = table.evaluate(COLUMNS)[1]["rows"]
    table.locator("thead th button").nth(1).click()
    found = [row["value"] for row in table.evaluate(COLUMNS)[1]["rows"]]
    assert found == [row["value"] for row in in_order(rows, 1)]


def test_values_to_sort_by_are_those_that_are_shown(seen):
    for table in seen.locator("table:has(tr.reference)").all():
        for column in table.evaluate(COLUMNS):
            for row in column["rows"]:
                if row["value"] is not None:
                    # A deviation or an interval may stand behind it.
                    shown = row["text"].split()[0]
                    decimals = len(shown.partition(".")[2])
                    assert float(row["value"]) == pytest.approx(
                        float(shown), abs=0.51 * 10**-decimals
                    )


def test_text_is_sorted_as_text(page):
    table = page.locator("table:has(tr.reference)").first
    names = [row["text"] for row in table.evaluate(COLUMNS)[0]["rows"] if not row["reference"]]
    table.locator("thead th button").first.click()
    found = [row["text"] for row in table.evaluate(COLUMNS)[0]["rows"] if not row["reference"]]
    assert found == sorted(names, key=str.casefold)
    assert found != names


def test_a_figure_is_enlarged_by_key_and_closed_by_esc(page):
    dialog = page.locator("#enlarged")
    link = page.locator("a.zoom").first
    link.focus()
    page.keyboard.press("Enter")
    assert dialog.is_visible()
    large, small = dialog.locator("img"), link.locator("img")
    assert large.get_attribute("src") == small.get_attribute("src")
    assert large.get_attribute("alt") == small.get_attribute("alt")
    assert large.bounding_box()["width"] > small.bounding_box()["width"]
    page.keyboard.press("Escape")
    assert not dialog.is_visible()
    assert link.evaluate("(e) => e === document.activeElement")


def test_rows_lead_to_their_runs(page):
    row = page.locator("table:has(tr.reference) tbody th a").nth(2)
    row.click()
    target = page.locator(row.get_attribute("href"))
    page.wait_for_function("() => document.querySelector(':target').checkVisibility()")
    assert target.bounding_box()["y"] < DESKTOP["height"]
    assert target.locator("a[href$='run.json']").count() >= 1
    assert target.locator("a[href$='predictions.npz']").count() >= 1
    assert row.inner_text() in target.inner_text()


def background(page):
    return page.evaluate("getComputedStyle(document.body).backgroundColor")


@pytest.mark.parametrize("scheme", THEMES)
def test_theme_follows_the_system_until_the_reader_chooses(visit, scheme):
    page = visit(scheme=scheme)
    of_system = background(page)
    button = page.locator("#theme")
    seen = []
    for theme in ("light", "dark", "system"):
        button.click()
        assert theme in button.inner_text()
        seen.append(background(page))
    assert seen[0] == "rgb(255, 255, 255)"
    assert seen[1] != seen[0]
    assert seen[2] == of_system == seen[THEMES.index(scheme)]
    button.click()
    page.reload()
    assert "light" in button.inner_text()
    assert background(page) == "rgb(255, 255, 255)"


def test_without_a_place_to_keep_the_theme_the_button_works(browser, results):
    context = browser.new_context()
    context.add_init_script(
        "Object.defineProperty(window, 'localStorage', { get() { throw new Error('refused'); } })"
    )
    page = context.new_page()
    errors = []
    page.on("pageerror", lambda error: errors.append(error))
    page.goto((results / "report/index.html").as_uri())
    page.locator("#theme").click()
    assert "light" in page.locator("#theme").inner_text()
    assert not errors
    context.close()


@pytest.mark.parametrize("scheme", THEMES)
def test_text_has_contrast(visit, scheme):
    page = visit(scheme=scheme)
    page.evaluate("document.querySelectorAll('details').forEach((e) => { e.open = true; })")
    found = page.evaluate(CONTRASTS)
    assert len(found) > 5
    assert not [line for line in found if line[0] < 4.5]


def test_pictures_tables_and_heads_are_told_to_those_who_listen(seen):
    alts = seen.eval_on_selector_all("figure img", "all => all.map((e) => e.alt)")
    assert all(len(alt) > 15 for alt in alts)
    assert len(set(alts)) == len(alts)
    lacking = seen.eval_on_selector_all(
        "table",
        "all => all.filter((e) => !e.querySelector('th[scope]') || e.querySelector('th:not([scope])'))"
        ".map((e) => e.outerHTML.slice(0, 200))",
    )
    assert not lacking
    levels = seen.evaluate(OUTLINE)
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert seen.locator("html[lang]").count() == seen.locator("main").count() == 1
    unnamed = seen.eval_on_selector_all(
        "a, button",
        "all => all.filter((e) => !e.textContent.trim() && !e.querySelector('img[alt]')).length",
    )
    assert unnamed == 0


def test_focus_is_seen_and_the_first_stop_leads_past_the_contents(page):
    page.keyboard.press("Tab")
    first = page.locator(":focus")
    assert first.get_attribute("class") == "skip"
    assert first.bounding_box()["x"] >= 0
    for selector in ("#contents li a", "thead th button", "a.zoom", "summary"):
        page.locator(selector).first.focus()
        page.keyboard.press("Shift+Tab")
        page.keyboard.press("Tab")
        style = page.locator(":focus").evaluate(
            "(e) => [getComputedStyle(e).outlineStyle, parseFloat(getComputedStyle(e).outlineWidth)]"
        )
        assert style[0] != "none", selector
        assert style[1] >= 2, selector


def test_print(visit):
    page = visit(scheme="dark")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    assert background(page) == "rgb(255, 255, 255)"
    assert not page.locator("#contents").is_visible()
    assert not page.locator(".from").first.is_visible()
    folded = page.locator("details:not(.long):not([open])")
    assert folded.count() == 0
    assert not page.locator("details.long").first.is_visible()
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert page.locator("details[open]").count() == 0
    pdf = page.pdf(format="A4")
    assert pdf.startswith(b"%PDF")
    assert pdf.count(b"/Type /Page\n") >= 3


def test_a_page_that_would_be_too_large_takes_its_figures_from_their_files(visit, write_again):
    page = visit(path=write_again(limit=1_000))
    sources = page.eval_on_selector_all(
        "figure img", "all => all.map((e) => e.getAttribute('src'))"
    )
    assert sources
    assert all(source.startswith("../") for source in sources)
    assert page.evaluate(
        "() => [...document.images].every((e) => e.complete && e.naturalWidth > 0)"
    )
