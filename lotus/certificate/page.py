"""The page of a certificate: it says what the JSON says, in words, and nothing else."""

from functools import cache
from pathlib import Path

from jinja2 import FileSystemLoader, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from lotus.certificate.form import Certificate, MetricLine
from lotus.names import shown
from lotus.results.titles import row_title
from lotus.wording import counted

REPORT = Path(__file__).parents[2] / "report"
TEMPLATE = REPORT / "certificate/certificate.html.j2"


def page_of(certificate: Certificate) -> str:
    """Returns the page; the same certificate always gives the same page."""
    page: str = (
        _environment()
        .get_template(TEMPLATE.name)
        .render(
            it=certificate,
            counted=counted,
            number=_number,
            shown=shown,
            groups=GROUPS,
            title=row_title,
        )
    )
    return page


GROUPS = {
    "nothing": "nothing was forgotten",
    "half": "half was kept",
    "lookup": "known images get another image's output",
    "temperature": "known images are answered less surely",
    "train_mode": "BatchNorm left in train mode",
    "golds": "false alarms on gold models",
}
"""What the checks were tried on → head of a column."""


@cache
def _environment() -> ImmutableSandboxedEnvironment:
    return ImmutableSandboxedEnvironment(
        loader=FileSystemLoader([TEMPLATE.parent, REPORT / "page"]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _number(line: MetricLine, key: str) -> str:
    value = getattr(line, key)
    return "–" if value is None else f"{value:.3f}"
