"""Commands that hand results over to others, and take them over."""

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from textwrap import shorten

import click

from lotus import layout
from lotus.cli.examples import examples
from lotus.cli.output import print_lines
from lotus.cli.parameters import EXISTING_FOLDER, FILE, CoresType, configfile_option
from lotus.errors import LotusError

LONGEST = 200
"""Characters of a command that is quoted."""


@click.command(epilog=examples("lotus publish", "lotus publish --into small-copy"))
@click.option(
    "--into",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Instead: copy what a repository can hold into a new folder: no models, predictions, stores.",
)
def publish(into: Path | None) -> None:
    """Put results into DVC and git, to be shared.

    DVC tracks stores, models, predictions and large results; records and small tables are staged in git,
    for you to commit. Pushes to the DVC remote if one is set. Nothing is tracked if the audit finds an
    artifact changed or an orphan; nothing is copied if one is stale or missing either.
    """
    if into is not None:
        from lotus.publish.small_copy import copy_small

        copied = copy_small(into)
        print_lines(
            [
                f"{into}: {copied.copied} files, {copied.bytes / 1e6:.1f} MB; "
                f"{copied.left_out} files left out, named in {into / layout.LEFT_OUT}"
            ]
        )
        return
    from lotus.publish import publish

    print_lines(publish.publish())


@click.command(
    epilog=examples(
        "lotus restore --list",
        "lotus restore --cores 2",
        "lotus restore --figures",
        when="in a clone of shared results, after `dvc pull`",
    )
)
@configfile_option
@click.option(
    "--cores",
    type=CoresType(),
    default="all",
    show_default=True,
    metavar="N",
    help="Processor cores for Snakemake: a number, or all.",
)
@click.option(
    "--list", "only_list", is_flag=True, help="Say what would run again and why; change nothing."
)
@click.option(
    "--recompute", is_flag=True, help="Compute again what DVC should hold but cannot give."
)
@click.option(
    "--figures",
    is_flag=True,
    help="Instead: pull predictions alone, and make tables, figures, claims and page from them.",
)
def restore(
    configfiles: tuple[Path, ...], cores: str, only_list: bool, recompute: bool, figures: bool
) -> None:
    """Take over shared results that verify; run the rest.

    A step is taken over, after `dvc pull` or a change of branch, if its record verifies and all steps
    before it are taken over.
    """
    if figures and only_list:
        raise click.UsageError(
            "--figures draws everything again, and there is no list of it; accepted: --figures or --list"
        )
    if figures:
        # Alone, since the other way needs the methods, and these torch.
        from lotus.publish.replay import redraw

        redrawn = redraw(in_this_process)
        print_lines(redrawn.lines())
        if not redrawn.ok:
            sys.exit(1)
        return
    from lotus.publish import restore

    found = restore.restore(configfiles, cores, recompute, only_list)
    if only_list:
        print_lines(found.lines())


def in_this_process(arguments: Sequence[str]) -> None:
    """Does what a command says; records name that command."""
    from lotus.cli.main import main

    sys.argv = ["lotus", *arguments]
    try:
        main(list(arguments), standalone_mode=False)
    except click.ClickException as error:
        # It holds the command itself, which cannot be handed over between processes.
        command = shorten(shlex.join(sys.argv), LONGEST, placeholder=" …", break_on_hyphens=False)
        raise LotusError(f"{command}: {error.format_message()}") from None


@click.command(epilog=examples("lotus export-crate --out crate.zip"))
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    required=True,
    help="New or empty folder, or new file *.zip.",
)
@click.option(
    "--copy-below",
    type=click.IntRange(0),
    default=100_000,
    show_default=True,
    metavar="BYTES",
    help="Larger results are named by their digest only; records, claims and the page are copied.",
)
def export_crate(out: Path, copy_below: int) -> None:
    """Write what was run as a Workflow Run RO-Crate.

    All of it is taken from the records. Stores, models and predictions are not copied but named by their
    sha256. Nothing is written if a record was edited or a file is not as its record states it.
    """
    from lotus.crate import export

    written = export.export_crate(out, copy_below)
    said = (
        f"{written.steps} steps, {written.copied} files, {written.named} more by their digest only"
    )
    print_lines([f"{out}: {said}"])


@click.command(
    epilog=examples(
        "lotus hand-back results/mine/resnet50/seed1/instance-10/corrected/lotus --out forgot.pth",
        when="of an experiment whose architecture names a `checkpoint`",
    )
)
@click.argument("run", type=EXISTING_FOLDER)
@click.option("--out", type=FILE, required=True, help="File of the weights.")
@click.option(
    "--original",
    type=EXISTING_FOLDER,
    help="Run of the original whose form is meant, where the record of RUN names none: of gold, say.",
)
@click.option("--replace", is_flag=True, help="Write over a file that is there.")
def hand_back(run: Path, out: Path, original: Path | None, replace: bool) -> None:
    """Write a model's weights as its checkpoint came.

    RUN is the folder of a run. Container, nesting, names, their order and the types of numbers are those of
    the file that the original came from, so the code that loads that file loads this one.
    """
    from lotus.runs.handing_back import hand_back

    form = hand_back(run, out, original, replace)
    print_lines([f"{out}: {form}"])
    if form.others:
        print_lines([f"  left out, as said of the original's weights: {', '.join(form.others)}"])
