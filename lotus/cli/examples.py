"""Examples at the end of a command's help; `tests/cli/test_examples.py` runs them."""

import re

DIGITS = "after `snakemake --cores all --configfile config/digits.yaml`"
WIDTH = 92
"""Columns of an example; help is shown in 100 at most."""


def examples(*calls: str, when: str = DIGITS, before: str = "") -> str:
    r"""Returns the end of a command's help: calls that can be pasted into a shell.

    Args:
        calls: each in one line; a long one is broken before an option, with a `\`.
        when: what must have been done for them to work.
        before: lines that are shown above the examples as they are.

    """
    heading = f"{'Example' if len(calls) == 1 else 'Examples'}, {when}:"
    lines = [line for call in calls for line in _broken(call)]
    # \b keeps click from filling the lines of a paragraph.
    blocks = [before, "\n".join([heading, *(f"  {line}" for line in lines)])]
    return "\n\n".join(f"\b\n{block}" for block in blocks if block)


def _broken(call: str) -> list[str]:
    """Returns a call in lines of `WIDTH`, as far as breaks before options and their last values allow."""
    first, *options = re.split(r" (?=--)", call)
    lines = [first]
    for option in options:
        if len(lines[-1]) + len(option) + 3 > WIDTH:
            lines[-1] += " \\"
            head, _, value = option.rpartition(" ")
            fits = len(option) + 6 <= WIDTH or not head
            lines += [f"  {option}"] if fits else [f"  {head} \\", f"    {value}"]
        else:
            lines[-1] += f" {option}"
    return lines
