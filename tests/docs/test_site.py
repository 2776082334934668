"""The documentation as a site: every page, no broken link, nothing from the network."""

import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from pages import PAGES
from project import ROOT

pytestmark = pytest.mark.skipif(
    find_spec("properdocs") is None,
    reason="the site's builder is not installed: pip install -e '.[docs]'",
)
NOWHERE = "http://127.0.0.1:9"
"""A proxy that answers nothing."""
LOADED = {"img": "src", "script": "src", "link": "href", "source": "src", "iframe": "src"}
"""What a browser fetches to show a page; links are followed by readers alone."""


def build(project, out):
    """Builds the site of a project by the line of `make docs`."""
    (line,) = re.findall(r"^\t(properdocs .*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    return subprocess.run(
        [sys.executable, "-m", *line.split(), "--site-dir", str(out)],
        cwd=project,
        env={"PATH": "", "HTTP_PROXY": NOWHERE, "HTTPS_PROXY": NOWHERE},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    out = tmp_path_factory.mktemp("site")
    done = build(ROOT, out)
    assert done.returncode == 0, done.stderr
    return out


class Links(HTMLParser):
    """What a page loads, where it leads, and the places in it that can be led to."""

    def __init__(self, page):
        super().__init__()
        self.loaded, self.followed, self.anchors = [], [], set()
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        named = dict(attributes)
        self.anchors |= {named[key] for key in ("id", "name") if named.get(key)}
        if named.get(LOADED.get(tag)):
            self.loaded.append(named[LOADED[tag]])
        if tag == "a" and named.get("href"):
            self.followed.append(named["href"])


def test_every_page_is_in_the_site(site):
    for page in PAGES:
        name = page.relative_to(ROOT).with_suffix(".html")
        there = site / (name.with_name("index.html") if name.stem == "README" else name)
        assert there.is_file(), (
            f"{page.name} is not in the site: add it to the nav of properdocs.yml"
        )


def test_links_lead_to_files_and_places_that_exist(site):
    pages = {page: Links(page) for page in site.rglob("*.html") if page.name != "404.html"}
    assert len(pages) > 10
    for page, links in pages.items():
        for link in [*links.loaded, *links.followed]:
            parts = urlsplit(link)
            if parts.scheme:
                continue
            target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
            target = target / "index.html" if target.is_dir() else target
            assert target.is_file(), f"{page.name}: {link}"
            if parts.fragment and target in pages:
                assert unquote(parts.fragment) in pages[target].anchors, f"{page.name}: {link}"


def test_nothing_is_loaded_from_another_host(site):
    for page in site.rglob("*.html"):
        outside = [name for name in Links(page).loaded if urlsplit(name).netloc]
        assert outside == [], page.name
    for sheet in site.rglob("*.css"):
        text = sheet.read_text(encoding="utf-8")
        assert not re.findall(r"url\(['\"]?(?:https?:)?//|@import", text), sheet.name


@pytest.mark.parametrize("link", ["docs/nowhere.md", "docs/data.md#nowhere", "/docs/data.md"])
def test_a_broken_link_stops_the_build(link, tmp_path):
    for name in ("docs", "report/published", "tests/parity", "benchmarks"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("cases"))
    for path in [*ROOT.glob("*.md"), ROOT / "properdocs.yml", ROOT / "report/claims.yaml"]:
        shutil.copy2(path, tmp_path / path.relative_to(ROOT))
    assert build(tmp_path, tmp_path / "site").returncode == 0
    with Path(tmp_path, "README.md").open("a", encoding="utf-8") as page:
        page.write(f"\nSee [this]({link}).\n")
    done = build(tmp_path, tmp_path / "site")
    assert done.returncode != 0
    assert link.split("#")[-1] in done.stderr
