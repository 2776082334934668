"""The report, opened in a real browser."""

import shutil
from contextlib import contextmanager
from pathlib import Path

import pytest
from browsing import CHROMIUM, DESKTOP, unfolded

from lotus.page.report import write_report


@pytest.fixture(scope="session")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        options = ["--no-sandbox", "--disable-gpu"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=options)
        yield browser
        browser.close()


@contextmanager
def visiting(browser, report):
    """Gives what opens the report; at the end nothing may have been said on the console or asked for
    elsewhere."""
    contexts, complaints = [], []

    def visit(viewport=None, scheme="light", anchor="", path=report):
        context = browser.new_context(viewport=viewport or DESKTOP, color_scheme=scheme)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("requestfailed", lambda request: complaints.append(request.url))
        page.on(
            "request",
            lambda request: (
                None
                if request.url.startswith(("file:", "data:"))
                else complaints.append(request.url)
            ),
        )
        page.goto(path.as_uri() + (f"#{anchor}" if anchor else ""))
        return page

    yield visit
    for context in contexts:
        context.close()
    assert not complaints


@pytest.fixture
def visit(browser, results):
    """Opens the report."""
    with visiting(browser, results / "report/index.html") as visit:
        yield visit


@pytest.fixture
def page(visit):
    """The report with all of its parts unfolded."""
    return unfolded(visit())


@pytest.fixture(scope="session")
def seen(browser, results):
    """The same, opened once for tests that only look."""
    with visiting(browser, results / "report/index.html") as visit:
        yield unfolded(visit())


@pytest.fixture
def write_again(results, tmp_path, monkeypatch):
    """Writes the page once more, in a copy of the results, and gives its place.

    Others look at the finished results meanwhile, and a page that nobody recorded would be found there.
    """
    for path in results.parent.iterdir():
        if path != results:
            (tmp_path / path.name).symlink_to(path)
    shutil.copytree(results, tmp_path / "results")
    monkeypatch.chdir(tmp_path)

    def write(**options):
        out = tmp_path / "results/report/again.html"
        write_report(
            Path("results/experiment.json"),
            Path("report/published"),
            Path("report/page/index.html.j2"),
            out,
            out.with_suffix(".json"),
            **options,
        )
        return out

    return write
