"""The command line: its commands by what they are for, how failures are shown, where output goes."""

from lotus import surroundings

# Before anything that a file in the present folder could hide is imported.
surroundings.keep_checkout_last()

import gc
import logging
import os
import shlex
import sys
from pathlib import Path
from typing import Any

import click

from lotus.cli import adopt, attest, certificate, data, know, look, models, results, share
from lotus.cli.output import LogLines
from lotus.cli.parameters import FILE
from lotus.errors import LotusError
from lotus.names import shown


class ShownError(click.ClickException):
    """A failure as the terminal shows it; the command ends with this status."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code  # type: ignore[misc]  # click means it to be set


class GroupedCommands(click.Group):
    """Commands under headings, in the order in which they were added.

    A `LotusError` is shown as one message, everything else with its traceback; both exit with 1. With
    `--log` all output goes there, and the message of a failure to the terminal as well.
    """

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.sections: dict[str, list[click.Command]] = {}

    def add_section(self, heading: str, *commands: click.Command) -> None:
        """Adds commands, which the help lists in this order."""
        self.sections[heading] = [*commands]
        for command in commands:
            self.add_command(command)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes each command with the first sentence of its help."""
        longest = max(len(name) for name in self.commands)
        limit = formatter.width - 6 - longest
        for heading, commands in self.sections.items():
            with formatter.section(heading):
                formatter.write_dl(
                    [(f"{it.name:{longest}}", it.get_short_help_str(limit)) for it in commands]
                )

    def invoke(self, ctx: click.Context) -> Any:
        """Runs the command of a call and shows its failure."""
        log = ctx.params.get("log")
        terminal = _redirect(log) if log is not None else None
        try:
            return super().invoke(ctx)
        except (LotusError, click.ClickException) as error:
            usual = error if isinstance(error, click.ClickException) else None
            said = str(error) if usual is None else usual.format_message()
            # Names from outside may hold what moves a terminal's cursor.
            message = "\n".join(map(shown, said.split("\n")))
            _tell(terminal, f"Error: {message}\n")
            if usual is not None and message == said:
                raise
            raise ShownError(message, error.exit_code) from error
        except SyntaxError as error:
            if not os.path.isfile(error.filename or ""):
                raise
            # Of a module: each command imports its own when it is called.
            message = f"{shown(error.filename or '')}, line {error.lineno}: no Python: {error.msg}"
            _tell(terminal, f"Error: {message}\n")
            raise click.ClickException(message) from error
        except Exception as error:
            # Not above, where it would take each command longer to start.
            from lotus.engine import failures

            if message := failures.explained(error):
                _tell(terminal, f"Error: {message}\n")
                raise click.ClickException(message) from error
            _tell(terminal, f"{type(error).__name__}: {error} (traceback in {log})\n")
            raise
        finally:
            # A process that does one job after another would run out of them.
            if terminal is not None:
                os.close(terminal)


def _redirect(log: Path) -> int:
    """Sends all output to `log`, that of compiled libraries too; returns the terminal."""
    log.parent.mkdir(parents=True, exist_ok=True)
    terminal = os.dup(2)
    with log.open("wb") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    return terminal


def _tell(terminal: int | None, message: str) -> None:
    """Writes a message to the terminal, if output does not go there anyway."""
    if terminal is not None:
        os.write(terminal, message.encode(errors="backslashreplace"))


@click.group(
    cls=GroupedCommands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="`lotus COMMAND --help` explains a command, with examples.",
)
@click.version_option(package_name="lotus-unlearning", prog_name="lotus")
@click.option("--log", type=FILE, help="File for all output; failures are shown as well.")
@click.pass_context
def main(context: click.Context, log: Path | None) -> None:
    """Machine unlearning, traceable: look at results, share them, or run single steps of the workflow.

    `snakemake --cores all` runs all steps; every line in its logs can be run by hand.
    """
    if context.invoked_subcommand in INSPECTING:
        surroundings.leave_out_present_folder()
    # Imports allocate much and free nothing: without the collector they take a fifth less time.
    gc.disable()
    # Plain lines on standard error.
    to_stderr = logging.StreamHandler(sys.stderr)
    to_stderr.setFormatter(LogLines("%(asctime)s %(message)s", "%H:%M:%S"))
    logging.basicConfig(level=logging.INFO, handlers=[to_stderr])
    if log is not None:
        # The workflow passes every resolved setting on the command line.
        logging.info("%s", shlex.join(sys.argv[1:]))


main.add_section(
    "Forget with a model of your own", adopt.adopt, certificate.certificate, share.hand_back
)
main.add_section(
    "Look at results",
    look.audit,
    attest.attest,
    look.lineage,
    look.impact,
    look.diff,
    look.effects,
    look.remembered,
    look.signs,
)
main.add_section("Share results", share.publish, share.restore, share.export_crate)
main.add_section(
    "Know what there is",
    know.methods,
    know.protocols,
    know.datasets,
    know.check_config,
    know.schema,
)
main.add_section(
    "Steps of the workflow: images",
    data.fetch,
    data.store,
    data.verify,
    data.cache_stores,
    data.split_held_out,
    data.halve_training,
    data.hash_images,
    data.choose_forget_set,
    data.picture_forget_set,
    data.duplicates,
    data.clean_mufac,
)
main.add_section(
    "Steps of the workflow: models",
    models.rank_images,
    models.pretrain,
    models.retrain,
    models.unlearn,
    models.tune,
    models.choose,
    models.gradcam,
)
main.add_section(
    "Steps of the workflow: results",
    results.evaluate,
    results.attack,
    results.power,
    results.attack_shadows,
    results.table,
    results.means,
    results.figure,
    results.describe,
    results.exhibit,
    results.claims,
    results.report,
    results.seal,
)
INSPECTING = frozenset(
    {
        *("check-config", "certificate", "hand-back"),
        *(it.name for it in main.sections["Look at results"]),
        *(it.name for it in main.sections["Share results"]),
    }
)
"""Commands that run no code of the present folder: its results may be a stranger's."""


OF_JOBS = {
    "models": ("lotus.runs.gradcam", "lotus.runs.train", "lotus.runs.unlearn"),
    "results": (
        *("pandas", "scipy.stats", "sklearn.linear_model", "sklearn.model_selection"),
        *("matplotlib.figure", "seaborn"),
        "lotus.claims.verdicts",
        "lotus.figures.draw",
        "lotus.page.report",
        "lotus.plan.contents",
        "lotus.runs.attacking",
        "lotus.runs.evaluation",
        *(f"matplotlib.backends.backend_{form}" for form in ("agg", "pdf", "svg")),
    ),
}
"""What jobs are on (`lotus.engine.asking`) → modules that most of them need, loaded once for all."""


@main.command("warm", hidden=True)
@click.argument("listeners", type=int, nargs=-1, required=True)
@click.option("--workers", type=click.IntRange(0), default=0)
@click.option("--jobs-on", type=click.Choice([*OF_JOBS]), multiple=True, required=True)
@click.option("--network", "networks", multiple=True)
def serve(
    listeners: tuple[int, ...], workers: int, jobs_on: tuple[str, ...], networks: tuple[str, ...]
) -> None:
    """Load the libraries and do jobs that arrive at LISTENERS (started by the workflow)."""
    from lotus.engine import asking, warm

    os.environ.pop(asking.VARIABLE, None)
    modules = {what: OF_JOBS[what] for what in jobs_on}
    if asking.MODELS in modules:
        modules[asking.MODELS] += networks
    warm.serve(listeners, main, modules, workers)


def run() -> None:
    """Runs the `lotus` command."""
    # What commands remember is read back.
    surroundings.keep_strangers_out()
    surroundings.settle()
    main()
