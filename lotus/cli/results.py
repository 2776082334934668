"""Steps of the workflow that make metrics, tables, figures, verdicts and the report."""

from pathlib import Path
from typing import Any

import click

from lotus.cli.examples import examples
from lotus.cli.parameters import (
    EXISTING_FILE,
    FILE,
    FOLDER,
    SEED,
    YamlType,
    beside,
    experiment_option,
    labels_option,
    protocol_option,
    published_option,
    record_option,
    required_record_option,
    seed_option,
    stem_option,
)
from lotus.config.protocol import Protocol

RUNS = "results/digits/resnet18/seed13"
EACH_GROUP = {
    **{"gold": "gold", "without": "ssd", "calibrating": "unsir", "fresh": "salun"},
    **{"with": "finetune", "nothing": "lotus", "half": "scrub", "train_mode": "bad-teacher"},
}
"""Group of models → the row that stands for it in an example."""


@click.command(
    epilog=examples(
        f"lotus evaluate --of original {RUNS}/original/corrected/predictions.npz"
        f" --of gold {RUNS}/class-three/corrected/gold/predictions.npz"
        f" --of lotus {RUNS}/class-three/corrected/lotus/predictions.npz --seed 13"
        " --out my-metrics.json --entropies my-entropies.npz"
    )
)
@click.option(
    "--of",
    "rows",
    type=(str, EXISTING_FILE),
    multiple=True,
    required=True,
    help="Name of a row and its predictions; repeatable. `original` is needed, and `gold` or a "
    "method; without `gold` there are no metrics against it.",
)
@click.option(
    "--again",
    "golds",
    type=(str, EXISTING_FILE),
    multiple=True,
    help="Name of a further gold model and its predictions, of the same forget set; repeatable. How far "
    "they are from `gold` is a row of its own: the floor.",
)
@seed_option
@labels_option
@click.option("--out", type=FILE, required=True, help="Metrics (JSON).")
@click.option(
    "--entropies", type=FILE, help="Entropies of what was said of each image (NPZ), for figures."
)
@record_option
def evaluate(
    rows: tuple[tuple[str, Path], ...],
    golds: tuple[tuple[str, Path], ...],
    seed: int,
    labels: dict[str, Any],
    out: Path,
    entropies: Path | None,
    record: Path | None,
) -> None:
    """Compute all metrics of one scenario and seed.

    They are computed from predictions alone; no model is read.
    """
    from lotus.runs.evaluation import evaluate_runs, rows_of

    of_golds = rows_of(golds, "--again", besides=[row for row, _ in rows])
    evaluate_runs(rows_of(rows), seed, labels, out, record or beside(out), of_golds, entropies)


@click.command(
    epilog=examples(
        f"lotus attack --of original 13 {RUNS}/original/corrected/predictions.npz"
        f" --of lotus 13 {RUNS}/class-three/corrected/lotus/predictions.npz"
        " --out my-attacks.json --scores my-scores.npz"
    )
)
@click.option(
    "--of",
    "runs",
    type=(str, SEED, EXISTING_FILE),
    multiple=True,
    required=True,
    help="A row, a seed and its predictions; repeatable. Of each seed those of `original`, `gold` and "
    "methods; the models of other seeds are what attacks compare with.",
)
@labels_option
@click.option("--out", type=FILE, required=True, help="What the attacks find (JSON).")
@click.option("--scores", type=FILE, required=True, help="Every image's score (NPZ).")
@record_option
def attack(
    runs: tuple[tuple[str, int, Path], ...],
    labels: dict[str, Any],
    out: Path,
    scores: Path,
    record: Path | None,
) -> None:
    """Attack all models of a scenario.

    Membership attacks try to tell forgotten images from unseen ones, from predictions alone. The scores of
    single images are what `lotus remembered` reads.
    """
    from lotus.runs.attacking import attack_models, runs_of

    attack_models(runs_of(runs), labels, out, scores, record or beside(out))


SHADOWS = "results/digits/resnet18/seed100000"


@click.command(
    epilog=examples(
        f"lotus attack-shadows --of original 1000000 {SHADOWS}0/original/corrected/predictions.npz"
        f" --of lotus 1000000 {SHADOWS}0/instance-10/corrected/lotus/predictions.npz"
        " --out my-shadows.json --scores my-shadows.npz",
        when="with the models of all shadows that `privacy` asks for",
    )
)
@click.option(
    "--of",
    "runs",
    type=(str, SEED, EXISTING_FILE),
    multiple=True,
    required=True,
    help="A row, a shadow's seed and its predictions; repeatable.",
)
@labels_option
@click.option("--out", type=FILE, required=True, help="What the attack finds (JSON).")
@click.option("--scores", type=FILE, required=True, help="Every image's score (NPZ).")
@record_option
def attack_shadows(
    runs: tuple[tuple[str, int, Path], ...],
    labels: dict[str, Any],
    out: Path,
    scores: Path,
    record: Path | None,
) -> None:
    """Attack shadow models, each with all others.

    Each shadow is of a half of the training images (`privacy` in the configuration). The attack is U-LiRA.
    """
    from lotus.runs import attacking_shadows
    from lotus.runs.attacking import runs_of

    attacking_shadows.attack_shadows(runs_of(runs), labels, out, scores, record or beside(out))


@click.command(
    epilog=examples(
        " ".join(
            [
                "lotus power --seed 13 --level 0.5",
                f"--of original {RUNS}/original/corrected/predictions.npz",
                *(
                    f"--of {group} {RUNS}/instance-10/corrected/{row}/predictions.npz"
                    for group, row in EACH_GROUP.items()
                ),
                "--out my-power.json",
            ]
        ),
        "lotus table power my-power.json --out my-power --record my-power.table.json",
        before="`snakemake power` trains the models that it takes. Here each group has one model, some of\n"
        "them methods'; it shows the form alone.",
    )
)
@click.option(
    "--of",
    "models",
    type=(str, EXISTING_FILE),
    multiple=True,
    required=True,
    help="Group of a model and its predictions; repeatable. One `original` and one `gold`; reference "
    "models of attacks: `without` (golds) and `with` (originals); golds: `calibrating` and `fresh`; and "
    "`nothing`, `half`, `train_mode`. Shadow models: `shadow-gold`, `shadow-nothing`, `shadow-half` and "
    "`shadow-train_mode`, one of every shadow, in the same order, the two of a pair one after the other.",
)
@seed_option
@click.option(
    "--level",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.05,
    show_default=True,
    help="Share of golds that may raise an alarm.",
)
@protocol_option
@labels_option
@click.option("--out", type=FILE, required=True, help="What each says of each model (JSON).")
@record_option
def power(
    models: tuple[tuple[str, Path], ...],
    seed: int,
    level: float,
    protocol: Protocol,
    labels: dict[str, Any],
    out: Path,
    record: Path | None,
) -> None:
    """Try measures and attacks where the truth is known.

    Of the models that are tried it is known what they forgot. `lotus table power` says of the result how
    often each measure and attack raises alarm: on golds, on doing nothing, on half of the forget set kept,
    and on three faked forgettings.
    """
    from lotus.runs.power import measure_power

    measure_power(models, seed, level, labels, out, record or beside(out), protocol)


@click.command(
    epilog=examples(
        "lotus table summary results/digits/resnet18/seed*/class-three/corrected/metrics.json"
        " --out my-summary --record my-summary.table.json"
    )
)
@click.argument("name")
@click.argument("sources", type=EXISTING_FILE, nargs=-1, required=True)
@stem_option
@required_record_option
def table(name: str, sources: tuple[Path, ...], out: Path, record: Path) -> None:
    """Write the table NAME from its SOURCES.

    NAME is benchmark, summary, per-seed, correlation or ablation (of metrics files), attacks (of what
    `lotus attack` found), or times or cost (of run records). The table is written as CSV and LaTeX.
    """
    from lotus.tables.write import write_table

    write_table(name, sources, out, record)


@click.command(
    epilog=examples(
        "lotus means results/digits/resnet18/seed*/class-three/corrected/metrics.json"
        " --out my-means --records my-means"
    )
)
@click.argument("sources", type=EXISTING_FILE, nargs=-1, required=True)
@click.option("--out", type=FOLDER, required=True, help="Folder of the means (JSON).")
@click.option("--records", type=FOLDER, required=True, help="Folder of their records (JSON).")
def means(sources: tuple[Path, ...], out: Path, records: Path) -> None:
    """Write means over seeds, as `dvc metrics` reads them.

    SOURCES are metrics files.
    """
    from lotus.results.means import write_means

    write_means(sources, out, records)


@click.command(
    epilog=examples(
        "lotus figure avg-gap results/digits/resnet18/seed*/instance-10/corrected/metrics.json"
        " --out my-avg-gap --record my-avg-gap.figure.json"
    )
)
@click.argument("name")
@click.argument("sources", type=EXISTING_FILE, nargs=-1, required=True)
@stem_option
@required_record_option
def figure(name: str, sources: tuple[Path, ...], out: Path, record: Path) -> None:
    """Draw the figure NAME from its SOURCES.

    NAME is streisand, avg-gap, rf-jsd or jsd-bars (of metrics files), times, time-bars, cost or temperature
    (of run records), pareto (of both), duplicates, classes or similarity (of what `lotus duplicates` wrote)
    or gradcam (of maps by `lotus gradcam`). The figure is drawn as SVG, PDF and PNG.
    """
    from lotus.figures.draw import draw

    draw(name, sources, out, record)


@click.command(
    epilog=examples(
        'lotus describe --config "$(cat config/digits.yaml)" --out my-experiment.json',
        when="anywhere in the project, without a run",
    )
)
@click.option("--config", type=YamlType(), required=True, help="The configuration, as a mapping.")
@click.option(
    "--origins",
    type=YamlType(),
    default="{files: [], given: {}}",
    help="Where it comes from, for the record: '{files: [a.yaml], given: {limit: 150}}'.",
)
@click.option("--out", type=FILE, required=True, help="Description (JSON).")
@record_option
def describe(
    config: dict[str, Any], origins: dict[str, Any], out: Path, record: Path | None
) -> None:
    """Write down what an experiment consists of.

    The description has its benchmarks, its rows and all resolved hyper-parameters.
    """
    from lotus.config.origins import Origin
    from lotus.plan.contents import write_description
    from lotus.plan.making import make_plan

    plan = make_plan(config, [Origin("--config", config)])
    write_description(plan, origins, out, record or beside(out))


@click.command(
    epilog=examples(
        "lotus exhibit table1 --experiment results/experiment.json --out my-table1"
        " --record my-table1.table.json"
    )
)
@click.argument("name")
@experiment_option
@published_option
@stem_option
@required_record_option
def exhibit(name: str, experiment: Path, published: Path, out: Path, record: Path) -> None:
    """Write a table of the paper with what was measured.

    NAME is table1, classes, … The paper's numbers stand beside the measured ones, in CSV and LaTeX.
    """
    from lotus.tables.write import write_paper_table

    write_paper_table(name, experiment, published, out, record)


@click.command(
    epilog=examples(
        "lotus claims --experiment results/experiment.json --out my-claims.json --table my-claims"
        " --record my-claims.record.json"
    )
)
@click.option(
    "--claims",
    "stated",
    type=EXISTING_FILE,
    default="report/claims.yaml",
    show_default=True,
    help="The claims and the rules by which they are checked.",
)
@published_option
@experiment_option
@click.option("--out", type=FILE, required=True, help="All verdicts with their numbers (JSON).")
@click.option("--table", type=FILE, required=True, help="File name of the table, without ending.")
@required_record_option
def claims(
    stated: Path, published: Path, experiment: Path, out: Path, table: Path, record: Path
) -> None:
    """Judge the paper's claims.

    Each claim is judged twice: on the paper's printed numbers, and on what was measured.
    """
    from lotus.claims.verdicts import write_verdicts

    write_verdicts(stated, published, experiment, out, table, record)


@click.command(
    epilog=examples(
        "lotus report --experiment results/experiment.json --template report/page/index.html.j2"
        " --out my-report.html"
    )
)
@experiment_option
@published_option
@click.option("--template", type=EXISTING_FILE, required=True, help="Jinja template of the page.")
@click.option("--out", type=FILE, required=True, help="The page (HTML).")
@record_option
@click.option("--shown-by", type=EXISTING_FILE, help="Page's record; only show attestations of it.")
def report(out: Path, record: Path | None, **given: Any) -> None:
    """Write the report, one self-contained page."""
    from lotus.page.report import write_report

    write_report(out=out, record=record or beside(out), **given)


@click.command(epilog=examples("lotus seal --out my-ledger.json"))
@click.option("--out", type=FILE, required=True, help="The ledger (JSON).")
def seal(out: Path) -> None:
    """Write the ledger: the digest of every record.

    No record can be changed unseen after that.
    """
    from lotus.records import ledger

    ledger.seal(out)
