"""The text of the configuration that a wish comes to, with what its reader should know beside."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from lotus.wording import all_of

REMARKS = {
    "seeds": "Each seed draws other validation images and other batches; the original is the same.",
    "datasets": "Which images, and how the network sees them.",
    "architectures": "The network, and the trained model that is to forget. By `training` a gold model is\n"
    "# retrained, where the grid asks for one.",
    "scenarios": "What is to be forgotten.",
    "methods": "Rows of the tables. `lotus methods` lists all and their hyper-parameters.",
    "grid": "What is run. With `gold: true` a model is retrained without the forgotten images, and the\n"
    "# report says how near each method comes to it.",
}


def text_of(content: Mapping[str, Any], out: Path) -> str:
    """Returns the text of a configuration, section by section."""
    names = all_of([*content["methods"]])
    head = (
        f"# Written by `lotus adopt`: {names}, asked to forget images of a trained model.\n"
        f"#   snakemake --cores all --configfile {out.as_posix()}\n"
        "#   lotus certificate make      what was asked, done and measured, and what that is worth\n"
        "#   lotus hand-back RUN --out FILE   the weights, in the form in which they came\n"
    )
    parts = [_part(key, value) for key, value in content.items()]
    return head + "\n".join(parts)


def _part(key: str, value: Any) -> str:
    remark = f"# {REMARKS[key]}\n" if key in REMARKS else ""
    text = yaml.safe_dump({key: value}, sort_keys=False, allow_unicode=True, width=100)
    return f"\n{remark}{text}"
