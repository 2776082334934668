"""Commands that look at results and change nothing."""

import json
import sys
from pathlib import Path

import click

from lotus.cli.examples import examples
from lotus.cli.output import print_lines
from lotus.cli.parameters import EXISTING_FILE, EXISTING_FOLDER, FILE, configfile_option
from lotus.surroundings import is_in_ci

STATUSES = """\
verified  Bytes, record, code, parameters and inputs agree.
left out  A record states it, and this copy is without it by its own word (lotus publish --into).
stale     It was made by other code, parameters or inputs than the present ones.
changed   Its bytes or its record are not as they were written.
missing   A record states it or the configuration wants it, and it is not there.
orphan    It is there, and no record states it."""


@click.command(
    epilog=examples(
        "lotus audit",
        "lotus audit --json --full",
        "lotus audit --configfile config/digits.yaml",
        before=STATUSES,
    )
)
@configfile_option
@click.option("--json", "as_json", is_flag=True, help="Print every artifact, as JSON.")
@click.option(
    "--full",
    is_flag=True,
    help="Read also files that have not changed since the last audit; always so where CI is set.",
)
def audit(configfiles: tuple[Path, ...], as_json: bool, full: bool) -> None:
    """Check every result against its record and the code.

    Every file of the project in this folder gets a status; what is not verified is listed with the reason.
    The exit status is 0 if everything is verified or left out, else 1.
    """
    from lotus.audit import to_text
    from lotus.audit.project import audit_project

    found = audit_project(configfiles, full or is_in_ci())
    print_lines([to_text.as_json(found) if as_json else to_text.as_text(found)])
    if not found.ok:
        sys.exit(1)


@click.command(
    epilog=examples(
        "lotus lineage results/figures/avg-gap.svg --brief",
        "lotus lineage results/tables/summary.csv:lotus:avg_gap:scenario=instance-10",
        "lotus lineage results/paper/table1.csv:lotus:avg_gap:protocol=corrected --picture number.svg",
    )
)
@click.argument("artifact", metavar="PATH[:ROW:COLUMN[:KEY=VALUE…]]")
@click.option("--json", "as_json", is_flag=True, help="Print all facts and full digests, as JSON.")
@click.option("--picture", type=FILE, help="Draw the tree as well: .svg, .png or .pdf.")
@click.option(
    "--depth", type=click.IntRange(0), help="Levels to show below the artifact; all unless given."
)
@click.option("--brief", is_flag=True, help="Print one line for each file.")
def lineage(
    artifact: str, as_json: bool, picture: Path | None, depth: int | None, brief: bool
) -> None:
    """Show what a file or a number of a table was made of.

    PATH is a figure, table, metrics file, model, predictions, split, list of look-alikes, report or record,
    or the folder of a run or a store. The tree goes down to the source files. Every file that is shown is
    hashed; if one is missing, or is not what the records state, this fails after the tree.
    """
    from lotus.lineage import lookup, to_json, to_text

    found = lookup.look_up(artifact, depth)
    if found.notice:
        print_lines([found.notice], err=True)
    if picture is not None:
        from lotus.lineage.picture import draw

        draw(found.tree, found.heading, picture)
    if as_json:
        print_lines([json.dumps(to_json.as_json(found.tree, found.values), indent=1)])
    else:
        print_lines([*found.value_lines(), *to_text.lines(found.tree, depth, brief)])
    if found.tree.problems:
        sys.exit(1)


@click.command(
    epilog=examples(
        "lotus impact data/stores/digits:17 --brief",
        "lotus impact scenarios.instance-10.forget_fraction",
        "lotus impact lotus.methods.ssd --brief",
        "lotus impact results/digits/resnet18/seed13/instance-10/corrected/gold --json",
    )
)
@click.argument("given", metavar="PATH")
@click.option(
    "--json", "as_json", is_flag=True, help="Print all of it, each number by its name, as JSON."
)
@click.option("--brief", is_flag=True, help="Print how much rests on it, and not what.")
def impact(given: str, as_json: bool, brief: bool) -> None:
    """List what rests on an image, file, module or setting.

    PATH is an image (its file, or its place in a store: data/stores/digits:17), a raw file, a file or
    folder of data/stores or results, a module (lotus.methods.ssd, or its file) or a key of the
    configuration (scenarios.instance-10.forget_fraction). Listed are the runs,
    the numbers of tables, the figures and the verdicts on claims that were made of it, by the records:
    nothing is compared with what lies there now (`lotus audit` does that).
    """
    from lotus.impact import impact as forwards
    from lotus.impact import to_text

    found = forwards.find_impact(given)
    if as_json:
        print_lines([json.dumps(forwards.as_json(found), indent=1, ensure_ascii=False)])
    else:
        print_lines(to_text.lines(found, brief))


@click.command(
    epilog=examples(
        "lotus diff HEAD~1",
        "lotus diff HEAD~1 HEAD --times",
        "lotus diff HEAD results --top 5",
        when="after `lotus publish` and `git commit`, done twice",
    )
)
@click.argument("a")
@click.argument("b", default=".")
@click.option("--json", "as_json", is_flag=True, help="Print all of it, as JSON.")
@click.option(
    "--top",
    type=click.IntRange(0),
    default=20,
    show_default=True,
    help="Entries to show of each list.",
)
@click.option("--times", is_flag=True, help="Compare the seconds of training and unlearning too.")
def diff(a: str, b: str, as_json: bool, top: int, times: bool) -> None:
    """Say which numbers differ between A and B, and why.

    A and B are folders (a project or its results) or commits that track results; B is the present folder
    unless given. A folder wins over a branch of its name. Only recorded changes that can have reached a
    number are named as its causes.
    """
    from lotus.diff import to_json, to_text
    from lotus.diff.compare import compare
    from lotus.diff.loading import open_side

    found = compare(open_side(a), open_side(b), times)
    if as_json:
        print_lines([json.dumps(to_json.as_json(found), indent=1, allow_nan=False)])
    else:
        print_lines(to_text.lines(found, top))


@click.command(
    epilog=examples(
        "lotus effects results/tables/ablation.csv",
        "lotus effects results/tables/ablation.csv --switch M1",
    )
)
@click.argument("table", type=EXISTING_FILE)
@click.option(
    "--switch",
    "switches",
    multiple=True,
    help="Switch to print, as M1 or E5+E6; repeatable; all unless given.",
)
def effects(table: Path, switches: tuple[str, ...]) -> None:
    """Print what each behaviour of released code changes.

    TABLE is results/tables/ablation.csv. `lotus protocols` lists the behaviours, each a switch.
    """
    from lotus.tables import effects

    print_lines(effects.effects(table, switches))


@click.command(
    epilog=examples(
        "lotus signs report/published",
        when="anywhere in the project, without a run",
    )
)
@click.argument("published", type=EXISTING_FOLDER)
@click.option("--of", "names", multiple=True, help="Sign to print; repeatable; all unless given.")
def signs(published: Path, names: tuple[str, ...]) -> None:
    """Print signs of released code in the paper's numbers.

    PUBLISHED is the folder of the paper's own numbers, report/published.
    """
    from lotus.claims import behaviours_in_print
    from lotus.published.numbers import load_published

    print_lines(behaviours_in_print.signs(load_published(published), names))


@click.command(
    epilog=examples(
        "lotus remembered results/digits/resnet18/all-seeds/instance-10/corrected/attacks.npz original",
        "lotus remembered results/digits/resnet18/all-seeds/instance-10/corrected/attacks.npz lotus"
        " --attack loss --top 3",
    )
)
@click.argument("scores", type=EXISTING_FILE)
@click.argument("row")
@click.option("--attack", default="lira-offline", show_default=True, help="By which attack.")
@click.option(
    "--top", type=click.IntRange(1), default=10, show_default=True, help="Images to show."
)
def remembered(scores: Path, row: str, attack: str, top: int) -> None:
    """Name the forgotten images that a model remembers.

    SCORES is what `lotus attack` wrote of a scenario (results/…/all-seeds/…/attacks.npz), ROW a method,
    `original` or `gold`. Shown first are the images that outdo most of the unseen images by the attack's
    score. Images that were forgotten outdo half of them on average, and some by chance nearly all: of gold,
    which never saw them, the command shows how many.
    """
    from lotus.results.attack_scores import load_scores
    from lotus.results.remembered import in_words

    print_lines(in_words(load_scores(scores), row, attack, top))
