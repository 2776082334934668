"""What commands print: text in lines, with escapes in place of what would steer a terminal."""

import logging
from collections.abc import Iterable

import click

from lotus.names import shown


def print_lines(lines: Iterable[str], err: bool = False) -> None:
    """Prints lines; names and values in them can come from anybody."""
    click.echo("\n".join(shown(part) for line in lines for part in line.split("\n")), err=err)


class LogLines(logging.Formatter):
    """Lines of the log, treated as those that are printed."""

    def format(self, record: logging.LogRecord) -> str:
        """Returns the lines of an entry, those of a traceback among them."""
        return "\n".join(map(shown, super().format(record).split("\n")))
