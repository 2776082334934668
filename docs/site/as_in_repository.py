"""A hook of the site's builder: pages lie as in the repository, so a link that works there works here."""

import re
from pathlib import Path

from properdocs.config.defaults import ProperDocsConfig
from properdocs.structure.files import File, Files

ROOT = Path(__file__).parents[2]
PAGES = (
    "*.md",
    "docs/*.md",
    "docs/results/*/*.md",
    "report/published/README.md",
    "tests/parity/README.md",
)
LINK = re.compile(r"\]\(([^)#:\s]+)")


def on_files(files: Files, config: ProperDocsConfig) -> Files:
    """Returns the pages, the files that they link to, the style sheets, and the theme's own files."""
    pages = [page for pattern in PAGES for page in sorted(ROOT.glob(pattern))]
    linked = {
        (page.parent / target).resolve()
        for page in pages
        for target in LINK.findall(page.read_text(encoding="utf-8"))
    }
    of_theme = [file for file in files if file.src_dir != config.docs_dir]
    styles = [ROOT / str(name) for name in config.extra_css]
    shown = {path for path in linked if path.is_file() and path.is_relative_to(ROOT)}
    return Files([*of_theme, *(_file(path, config) for path in sorted({*pages, *styles, *shown}))])


def _file(path: Path, config: ProperDocsConfig) -> File:
    name = path.relative_to(ROOT).as_posix()
    return File(name, str(ROOT), config.site_dir, config.use_directory_urls)
