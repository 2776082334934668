"""The commands that attest results: make drawn ones again, and check what was attested."""

import os
import secrets
import sys
from pathlib import Path

import click

from lotus.cli.examples import examples
from lotus.cli.output import print_lines
from lotus.cli.parameters import (
    EXISTING_FILE,
    FILE,
    configfile_option,
    runtime_option,
    sign_option,
    signers_option,
)
from lotus.cli.share import in_this_process
from lotus.engine.runtime import Runtime

FINDINGS = """\
same bytes         It comes out as it lies there, to the byte.
within tolerances  It comes out alike; its record states another machine or other versions.
not compared       A picture of other bytes, drawn on another machine or by other versions.
other              It comes out otherwise.
failed             It cannot be made again."""


@click.group(
    invoke_without_command=True,
    subcommand_metavar="[verify …]",
    epilog=examples(
        "lotus attest --runs 2 --seed 20260601",
        "lotus attest verify",
        before=FINDINGS,
    ),
)
@configfile_option
@click.option(
    "--runs",
    type=click.IntRange(0),
    metavar="K",
    help="Number of runs to draw; all if there are fewer. 5 unless given, and none with --metrics.",
)
@click.option(
    "--seed",
    type=click.IntRange(0),
    metavar="S",
    help="Seed of the draw, best by somebody who has not made the results; a random one unless given.",
)
@click.option(
    "--from-weights",
    is_flag=True,
    help="Only ask the weights that lie there for their predictions again, and train nothing.",
)
@click.option(
    "--metrics",
    type=click.Choice(["all"]),
    help="Make all metrics, tables, figures and claims again from the predictions, too.",
)
@click.option(
    "--device",
    default="auto",
    show_default=True,
    envvar="LOTUS_DEVICE",
    help="auto, cpu, cuda or cuda:N, for models.",
)
@runtime_option
@click.option(
    "--cores",
    type=click.IntRange(1),
    default=os.cpu_count() or 1,
    show_default="number of cores",
    help="Processes at a time; models share a GPU one after another.",
)
@sign_option
@click.option(
    "--out", type=FILE, help="New file to write; one in results/attestations unless given."
)
@click.pass_context
def attest(
    context: click.Context,
    configfiles: tuple[Path, ...],
    runs: int | None,
    seed: int | None,
    from_weights: bool,
    metrics: str | None,
    device: str,
    runtime: Runtime,
    cores: int,
    key: Path | None,
    out: Path | None,
) -> None:
    """Make drawn results again and say what differs.

    K runs are drawn. The command of each is put together from the configuration, and done again by the
    present code in a temporary folder; no result is written over. What was drawn and found is written as an
    attestation. The exit status is 1 if something came out otherwise, with a line for each difference.
    `lotus attest verify` checks attestations.
    """
    if context.invoked_subcommand is not None:
        _refuse_given(context)
        return
    from lotus.attest.attest import AttestationWish
    from lotus.attest.attest import attest as make
    from lotus.engine.device import check_name
    from lotus.records.attested_words import FROM_WEIGHTS, WHOLE

    check_name(device)
    wish = AttestationWish(
        runs=(0 if metrics else 5) if runs is None else runs,
        seed=secrets.randbelow(2**32) if seed is None else seed,
        depth=FROM_WEIGHTS if from_weights else WHOLE,
        results=metrics == "all",
        device=device,
        runtime=str(runtime),
        workers=cores,
        key=key,
        out=out,
    )
    written, attestation = make(configfiles, wish, in_this_process)
    from lotus.attest.to_text import lines

    print_lines(lines(written, attestation))
    if any(attestation.differences()):
        sys.exit(1)


def _refuse_given(context: click.Context) -> None:
    """Refuses options of `attest` that were given to a command below it, where they mean nothing."""
    given = (it for it in context.params if _is_given(context, it))
    if (name := next(given, None)) is not None:
        option = next(it.opts[0] for it in context.command.params if it.name == name)
        raise click.UsageError(
            f"{option} is of no use to `lotus attest {context.invoked_subcommand}`"
        )


def _is_given(context: click.Context, name: str) -> bool:
    return context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE


@attest.command(epilog=examples("lotus attest verify", when="after `lotus attest`"))
@click.argument("files", type=EXISTING_FILE, nargs=-1, metavar="[FILE]...")
@signers_option
def verify(files: tuple[Path, ...], signers: Path | None) -> None:
    """Check form, signature and attested files of attestations.

    FILE is one of `lotus attest`; all in results/attestations unless given. What it attests is to lie here
    as it was; nothing is made again. The exit status is 1 if one does not hold.
    """
    from lotus.attest.verify import verify as check

    found = check(files, signers)
    print_lines([line for it in found for line in it.lines()])
    if any(it.wrong for it in found):
        sys.exit(1)
