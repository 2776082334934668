"""The commands that write and check certificates of unlearned models."""

import sys
from pathlib import Path

import click

from lotus.cli.examples import examples
from lotus.cli.output import print_lines
from lotus.cli.parameters import (
    EXISTING_FILE,
    FOLDER,
    sign_option,
    signers_option,
    workers_option,
)


@click.group(
    subcommand_metavar="make|verify …",
    epilog=examples(
        "lotus certificate make results/digits/resnet18/seed13/instance-10/corrected/lotus",
        "lotus certificate verify certificates/*.json",
    ),
)
def certificate() -> None:
    """State what an unlearned model is worth.

    A certificate says what was asked, done and measured, and what all that does not show.
    """


@certificate.command(
    epilog=examples(
        "lotus certificate make results/digits/resnet18/seed13/instance-10/corrected/lotus --replace"
    )
)
@click.argument("runs", type=FOLDER, nargs=-1, metavar="[RUN]...")
@click.option(
    "--out",
    type=FOLDER,
    default="certificates",
    show_default=True,
    help="Folder for a JSON and a page for each model.",
)
@sign_option
@click.option("--replace", is_flag=True, help="Write over certificates that are there.")
@workers_option
def make(runs: tuple[Path, ...], out: Path, key: Path | None, replace: bool, workers: int) -> None:
    """Write certificates of unlearned models.

    RUN is the folder of a model; all unlearned models that were measured unless given. What does not verify
    is not certified.
    """
    from lotus.attest.signing import refuse_unusable
    from lotus.certificate.content import certify, runs_to_certify
    from lotus.certificate.write import places_of, write
    from lotus.errors import LotusError
    from lotus.records.index import read_index

    if key is not None:
        refuse_unusable(key)
    index = read_index()
    chosen = [*runs] or runs_to_certify(index)
    if not chosen:
        raise LotusError(
            "there is no unlearned model here that was measured; `snakemake --cores all` makes them"
        )
    places = places_of(chosen, out, replace)
    # All of them first: where one cannot be certified, none is written.
    for run, content in certify(index, chosen, workers).items():
        print_lines([str(path) for path in write(content, places[run], key)])


@certificate.command(
    epilog=examples("lotus certificate verify certificates/*.json", when="after `make`")
)
@click.argument("files", type=EXISTING_FILE, nargs=-1, required=True, metavar="FILE...")
@signers_option
@click.option("--weights", type=EXISTING_FILE, help="A file that is to be the certified model.")
@workers_option
def verify(
    files: tuple[Path, ...], signers: Path | None, weights: Path | None, workers: int
) -> None:
    """Check form, signature and content of certificates.

    Everything that a certificate names is hashed again, in the folder of its project, and what it says is
    read from there again. The exit status is 1 if one does not hold.
    """
    from lotus.certificate.verify import check

    found = check(files, signers, weights, workers)
    print_lines([line for it in found for line in it.lines()])
    if any(it.wrong for it in found):
        sys.exit(1)
