"""Adopts a trained model: checks it on some images and writes the configuration by which it forgets."""

from pathlib import Path

from lotus.adopt.first_check import FirstCheck, first_check
from lotus.adopt.sections import configuration_of, sections_of
from lotus.adopt.wish import Wish
from lotus.adopt.write import text_of
from lotus.config.origins import Origin
from lotus.plan.feasible import refuse_nonsense
from lotus.plan.making import make_plan
from lotus.records.files import refuse_to_write_over, write_text


def adopt(wish: Wish, out: Path, device: str, replace: bool) -> FirstCheck:
    """Writes a configuration, if all that it names is there and fits; returns what the model knows.

    Nothing is built or trained.

    Args:
        out: the configuration.
        device: that the model is asked on.
        replace: whether `out` may be written over.

    Raises:
        LotusError: something does not fit: as `sections_of` and `first_check`; the configuration would not
            be accepted; the list names other images than there are; or `out` is there already.

    """
    refuse_to_write_over(out, replace)
    sections = sections_of(wish)
    content = configuration_of(wish, sections)
    text = text_of(content, out)
    origins = [Origin("the configuration", content)]
    plan = make_plan(content, origins)
    refuse_nonsense(plan, origins, plan.cells)
    found = first_check(sections, plan.settings.data.mirror, device)
    write_text(out, text)
    return found
