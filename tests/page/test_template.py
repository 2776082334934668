"""A page's template can come from anybody: it reaches what it is given, and nothing of Python."""

import pytest

from lotus.errors import LotusError
from lotus.page.book import Book
from lotus.page.report import _rendered
from lotus.page.vouched import Vouched

BOOK = Book(Vouched("", [], []), with_pictures=False)


@pytest.mark.parametrize(
    "text",
    [
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ counted.__globals__ }}",
        "{{ cycler.__init__.__globals__.os.popen('touch evil').read() }}",
        "{{ rows.clear() }}",
        "{% set _ = '%s'.format(counted) %}{{ '{0.__globals__}'.format(counted) }}",
    ],
)
def test_a_template_runs_no_code(tmp_path, monkeypatch, text):
    monkeypatch.chdir(tmp_path)
    template = tmp_path / "page.html.j2"
    template.write_text(text)
    with pytest.raises(LotusError, match=r"page\.html\.j2: reaches for more than a page is made"):
        _rendered(template, {"rows": [1]}, BOOK)
    assert not (tmp_path / "evil").exists()


def test_a_template_is_rendered(tmp_path):
    template = tmp_path / "page.html.j2"
    template.write_text("{{ counted(2, 'row') }} {{ rows }}")
    assert _rendered(template, {"rows": [1]}, BOOK) == "2 rows [1]"
