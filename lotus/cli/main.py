"""The command line: one thin command per rule of the workflow. Each parses and calls one function."""

from lotus import surroundings

# Before anything that a file in the present folder could hide is imported.
surroundings.keep_checkout_last()

import gc
import json
import logging
import os
import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from lotus.config import protocol
from lotus.config.protocol import Protocol
from lotus.engine import warm
from lotus.errors import LotusError
from lotus.formats.yaml_text import parse
from lotus.names import shown

FILE = click.Path(path_type=Path, dir_okay=False)
EXISTING_FILE = click.Path(path_type=Path, dir_okay=False, exists=True)
FOLDER = click.Path(path_type=Path, file_okay=False)
EXISTING_FOLDER = click.Path(path_type=Path, file_okay=False, exists=True)


class _Group(click.Group):
    """Shows `LotusError` as one message, everything else with its traceback; both exit with 1.

    With `--log` all output goes there, and the message of a failure to the terminal as well.
    """

    def invoke(self, ctx: click.Context) -> Any:
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
            raise click.ClickException(message) from error
        except Exception as error:
            _tell(terminal, f"{type(error).__name__}: {error} (traceback in {log})\n")
            raise


def _redirect(log: Path) -> int:
    """Sends all output to `log`, that of compiled libraries too; returns the terminal."""
    log.parent.mkdir(parents=True, exist_ok=True)
    terminal = os.dup(2)
    with log.open("wb") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    return terminal


def _tell(terminal: int | None, message: str) -> None:
    if terminal is not None:
        os.write(terminal, message.encode(errors="backslashreplace"))


class _YamlType(click.ParamType[Any]):
    """A mapping in YAML or JSON, as `'{alpha: 4}'`."""

    name = "mapping"

    def convert(self, value: Any, param: Any, ctx: Any) -> dict[str, Any]:
        content = parse(value, _option_of(param)).content
        if not isinstance(content, dict):
            self.fail(
                f"{value!r} is not a mapping like '{{model: resnet18, width: 8}}'", param, ctx
            )
        return content


class _ProtocolType(click.ParamType[Any]):
    """A protocol by its name."""

    name = "protocol"

    def convert(self, value: Any, param: Any, ctx: Any) -> Protocol:
        return value if isinstance(value, Protocol) else protocol.parse(value)


class _SettingType(click.ParamType[Any]):
    """`KEY=VALUE`, the value read as YAML."""

    name = "key=value"

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[str, Any]:
        key, equals, text = value.partition("=")
        if not equals or not key:
            self.fail(f"{value!r}: accepted: KEY=VALUE, as alpha=4", param, ctx)
        return key, parse(text, f"{_option_of(param)} {key}").content


def _option_of(param: click.Parameter | None) -> str:
    """An option as a person wrote it."""
    return param.opts[0] if param is not None else "argument"


def run() -> None:
    """Entry point of the `lotus` command."""
    surroundings.settle()
    main()


@click.group(
    cls=_Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(package_name="lotus-unlearning", prog_name="lotus")
@click.option("--log", type=FILE, help="File for all output; failures are shown as well.")
def main(log: Path | None) -> None:
    """Machine unlearning, traceable: the steps of the LoTUS workflow, one command each.

    The workflow (`snakemake --cores all`) calls these; every line in its logs can be run by hand.
    """
    # Imports allocate much and free nothing: without the collector they take a fifth less time.
    gc.disable()
    show_log()
    if log is not None:
        # The workflow passes every resolved setting on the command line.
        logging.info("%s", shlex.join(sys.argv[1:]))


def show_log() -> None:
    """Plain lines to standard error."""
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S", stream=sys.stderr
    )


def _options(*options: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def add(function: Any) -> Any:
        for option in reversed(options):
            function = option(function)
        return function

    return add


_record_option = click.option(
    "--record", type=FILE, help="Record (JSON); beside the output unless named."
)
_device_options = _options(
    click.option(
        "--device",
        default="auto",
        show_default=True,
        envvar="LOTUS_DEVICE",
        help="auto, cpu, cuda or cuda:N.",
    ),
    click.option(
        "--threads",
        type=click.IntRange(1),
        default=1,
        show_default=True,
        help="Processor threads; sums depend on it.",
    ),
)
_configfile_option = click.option(
    "--configfile",
    "configfiles",
    type=EXISTING_FILE,
    multiple=True,
    help="What the results should be of; by default what they were made by. Repeatable.",
)
_protocol_option = click.option(
    "--protocol",
    type=_ProtocolType(),
    default="corrected",
    show_default=True,
    help="corrected, released, corrected+m1, released-e1, … (see `lotus protocols`).",
)
_run_options = _options(
    click.option("--store", type=EXISTING_FOLDER, required=True, help="Image store."),
    click.option("--held-out", type=EXISTING_FILE, required=True, help="Validation/test halves."),
    click.option("--seed", type=click.IntRange(0, 2**32 - 1), required=True, help="Seed."),
    _device_options,
    click.option("--labels", type=_YamlType(), default="{}", help="Names for the record."),
    _protocol_option,
    click.option("--out", type=FOLDER, required=True, help="Folder of the run."),
)
_weights_option = click.option(
    "--weights-of",
    type=EXISTING_FOLDER,
    help="Another run with the same weights, of which to record predictions only.",
)
_plugin_option = click.option(
    "--plugin",
    "plugins",
    multiple=True,
    help="Python file or module that registers methods of your own; repeatable.",
)
_forget_set_option = click.option(
    "--forget-set", type=EXISTING_FILE, required=True, help="Forget and retain indices."
)
_training_options = _options(
    click.option(
        "--architecture",
        type=_YamlType(),
        required=True,
        help="As in the configuration: '{model: resnet18, width: 8, training: {epochs: 15}}'.",
    ),
    click.option(
        "--images",
        type=_YamlType(),
        default="{}",
        help="The data set's section of the configuration: '{augmentation: {crop_padding: 4}}'.",
    ),
    click.option(
        "--checkpoint-every",
        type=click.FloatRange(min=0),
        default=60,
        show_default=True,
        metavar="SECONDS",
        envvar="LOTUS_CHECKPOINT_EVERY",
        help="Least time between two checkpoints, from which a killed training goes on; 0: each epoch.",
    ),
)


@main.command("warm", hidden=True)
@click.argument("address", type=FILE)
def serve(address: Path) -> None:
    """Load the libraries and wait for jobs at ADDRESS (started by the workflow)."""
    os.environ.pop(warm.VARIABLE, None)
    warm.serve(address, main)


_store_options = click.option(
    "--options",
    type=_YamlType(),
    default="{}",
    help="As `store` in the configuration: '{source: image-folder, raw: birds, side: 96}'.",
)


@main.command()
@click.argument("dataset")
@_store_options
@click.option(
    "--mirror",
    "mirrors",
    multiple=True,
    help="Folder or URL with archives or unpacked folders, looked at before downloading; repeatable.",
)
@click.option("--out", type=FILE, required=True, help="List of the verified files (JSON).")
def fetch(dataset: str, options: dict[str, Any], mirrors: tuple[str, ...], out: Path) -> None:
    """Find or download the raw files of DATASET and verify their checksums."""
    from lotus.config.images import StoreOptions
    from lotus.config.mistakes import check
    from lotus.data.build import fetch_raw

    fetch_raw(dataset, check(StoreOptions, options, "--options"), mirrors, out)


@main.command()
@click.argument("dataset")
@_store_options
@click.option("--raw", type=EXISTING_FILE, required=True, help="What `lotus fetch` wrote.")
@click.option(
    "--locked", default="any", show_default=True, help="Digest the store must have (data.dvc)."
)
@click.option(
    "--workers",
    type=click.IntRange(1),
    help="Processes that decode images; default: all processors.",
)
@click.option("--out", type=FOLDER, required=True, help="Folder of the store.")
def store(
    dataset: str,
    options: dict[str, Any],
    raw: Path,
    locked: str,
    workers: int | None,
    out: Path,
) -> None:
    """Build the image store of DATASET from its raw files."""
    from lotus.config.images import StoreOptions
    from lotus.config.mistakes import check
    from lotus.data.build import build_store

    chosen = check(StoreOptions, options, "--options")
    build_store(dataset, chosen, raw, out, None if locked == "any" else locked, workers)


@main.command()
@click.argument("folder", type=EXISTING_FOLDER)
@click.option(
    "--locked", default="any", show_default=True, help="Digest the store must have (data.dvc)."
)
@_store_options
@click.option(
    "--raw", type=EXISTING_FILE, help="What `lotus fetch` wrote; its files must be the store's."
)
@click.option("--out", type=FILE, required=True, help="Record of the verified store.")
def verify(folder: Path, locked: str, options: dict[str, Any], raw: Path | None, out: Path) -> None:
    """Check that the store in FOLDER is sound and the one that data.dvc locks."""
    from lotus.data.build import verify_store

    verify_store(folder, None if locked == "any" else locked, out, options, raw)


@main.command("split-held-out")
@click.option("--store", type=EXISTING_FOLDER, required=True, help="Image store.")
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), required=True, help="Seed.")
@click.option("--out", type=FILE, required=True, help="Halves (JSON).")
@_record_option
def split_held_out(store: Path, seed: int, out: Path, record: Path | None) -> None:
    """Halve the held-out images into validation and test, stratified by class."""
    from lotus.data.splits import write_held_out

    write_held_out(store, seed, out, record or _beside(out))


@main.command("choose-forget-set")
@click.option("--store", type=EXISTING_FOLDER, required=True, help="Image store.")
@click.option(
    "--scenario",
    type=_YamlType(),
    required=True,
    help="As in the configuration: '{forget_fraction: 0.1}' or '{forget_class: Trouser}'.",
)
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), required=True, help="Of rule random.")
@click.option("--labels", type=_YamlType(), default="{}", help="Names for the record.")
@click.option("--out", type=FILE, required=True, help="Forget and retain indices (JSON).")
@_record_option
def choose_forget_set(
    store: Path, scenario: dict[str, Any], record: Path | None, out: Path, **options: Any
) -> None:
    """Choose which training images are to be forgotten."""
    from lotus.config.mistakes import check
    from lotus.config.scenarios import Scenario
    from lotus.data.splits import write_forget_set

    chosen = check(Scenario, scenario, "--scenario")
    write_forget_set(store, chosen, out=out, record=record or _beside(out), **options)


def _beside(out: Path) -> Path:
    """Where the record of an output goes if nothing is said of it."""
    return out.with_suffix(".record.json")


_workers_option = click.option(
    "--workers",
    type=click.IntRange(1),
    default=os.cpu_count() or 1,
    show_default="number of cores",
    help="Processes that hash images.",
)


@main.command(
    epilog="""\b
    Example, after `snakemake --cores all --configfile config/digits.yaml`:
      lotus duplicates data/stores/digits --out audit.json --cleaned cleaned.csv \\
        --held-out results/digits/splits/seed13/held-out.json \\
        --forget-set results/digits/splits/seed13/instance-10.json"""
)
@click.argument("folder", metavar="STORE", type=EXISTING_FOLDER)
@click.option("--held-out", type=EXISTING_FILE, help="Validation/test halves.")
@click.option("--forget-set", type=EXISTING_FILE, help="Forget and retain indices.")
@click.option(
    "--distance",
    type=click.IntRange(0, 4),
    default=0,
    show_default=True,
    help="Bits of 64 in which the hashes of duplicates may differ.",
)
@click.option(
    "--pairs",
    type=click.IntRange(1),
    default=5_854_806,  # all that MUFAC has; the paper's figure 5 has as many of CIFAR
    show_default=True,
    help="Pairs of forget and retain images to measure at most.",
)
@click.option(
    "--seed",
    type=click.IntRange(0, 2**32 - 1),
    default=0,
    show_default=True,
    help="Of the choice of these pairs.",
)
@click.option("--labels", type=_YamlType(), default="{}", help="Names for the audit.")
@click.option("--out", type=FILE, required=True, help="Audit (JSON).")
@click.option("--cleaned", type=FILE, help="Which images cleaning keeps (CSV).")
@_record_option
@_workers_option
def duplicates(folder: Path, out: Path, record: Path | None, **options: Any) -> None:
    """Find the images of STORE that look alike, within its parts and across them.

    Images are duplicates if their perceptual hashes agree. Cleaning keeps one of them: a test image rather
    than one of the validation, forget or retain set, in this order; within a part the first.
    """
    from lotus.data.lookalikes import audit_store

    audit_store(folder, out, record or _beside(out), **options)


@main.command("clean-mufac")
@click.argument("source", type=EXISTING_FOLDER)
@click.argument("out", type=FOLDER)
@click.option(
    "--forget-rows",
    type=click.IntRange(1),
    default=1_500,
    show_default=True,
    help="First rows of the training CSV that are the forget set.",
)
@_workers_option
def clean_mufac(source: Path, out: Path, forget_rows: int, workers: int) -> None:
    """Write MUFAC's folder SOURCE without duplicates as OUT (as published: SOURCE's name and _clean).

    Compares what is found with the numbers of the paper's notebook. For what is kept see `lotus
    duplicates`.
    """
    from lotus.data.clean_mufac import clean

    click.echo("\n".join(clean(source, out, forget_rows, workers).lines()))


@main.command()
@_run_options
@_weights_option
@_training_options
def pretrain(**options: Any) -> None:
    """Train the original model, on all training images."""
    _train("original", None, options)


@main.command()
@_run_options
@_weights_option
@_forget_set_option
@_training_options
def retrain(forget_set: Path, **options: Any) -> None:
    """Train the gold model: fresh weights, no image of the forget set."""
    _train("gold", forget_set, options)


def _train(kind: str, forget_set: Path | None, options: dict[str, Any]) -> None:
    from lotus.config.architectures import ARCHITECTURE
    from lotus.config.images import Dataset
    from lotus.config.mistakes import check
    from lotus.runs.run import Inputs, Run
    from lotus.runs.train import train_run

    architecture = check(ARCHITECTURE, options.pop("architecture"), "--architecture")
    use = check(Dataset, options.pop("images"), "--images")
    inputs = Inputs(options.pop("store"), options.pop("held_out"), forget_set)
    weights_of = options.pop("weights_of")
    train_run(kind, inputs, Run(**options), architecture, use, weights_of)


@main.command(
    epilog="""\b
    Example, after `snakemake --cores all --configfile config/digits.yaml`:
      lotus unlearn lotus --set alpha=4 --seed 13 --store data/stores/digits \\
        --held-out results/digits/splits/seed13/held-out.json \\
        --forget-set results/digits/splits/seed13/instance-10.json \\
        --original results/digits/resnet18/seed13/original --out my-run"""
)
@click.argument("method")
@_run_options
@_weights_option
@_forget_set_option
@click.option("--original", type=EXISTING_FOLDER, required=True, help="Run of the original model.")
@click.option(
    "--calibration",
    type=EXISTING_FOLDER,
    help="Store of synthetic images, which METHOD gets in place of validation images.",
)
@click.option(
    "--set",
    "settings",
    type=_SettingType(),
    multiple=True,
    help="A hyper-parameter, as alpha=4; repeatable. `lotus methods` lists them.",
)
@_plugin_option
def unlearn(
    method: str,
    forget_set: Path,
    original: Path,
    calibration: Path | None,
    settings: tuple[tuple[str, Any], ...],
    plugins: tuple[str, ...],
    **options: Any,
) -> None:
    """Apply METHOD to an original model, so that it forgets the forget set."""
    from lotus.methods.base.plugins import load_plugins
    from lotus.runs.run import Inputs, Run
    from lotus.runs.unlearn import unlearn_run

    load_plugins(plugins)
    inputs = Inputs(options.pop("store"), options.pop("held_out"), forget_set, calibration)
    weights_of = options.pop("weights_of")
    run = Run(**options)
    unlearn_run(inputs, run, original, method, dict(settings), weights_of)


@main.command()
@click.argument("method")
@_run_options
@_forget_set_option
@click.option("--original", type=EXISTING_FOLDER, required=True, help="Run of the original model.")
@click.option(
    "--candidate",
    "candidates",
    type=_YamlType(),
    multiple=True,
    required=True,
    help="Hyper-parameters to try, as '{lr: 1e-3}'; repeatable.",
)
@_plugin_option
def tune(
    method: str,
    forget_set: Path,
    original: Path,
    candidates: tuple[dict[str, Any], ...],
    plugins: tuple[str, ...],
    out: Path,
    **options: Any,
) -> None:
    """Try candidates for METHOD on one model, judged on forget, retain and validation images."""
    from lotus.methods.base.plugins import load_plugins
    from lotus.runs import tuning
    from lotus.runs.run import Inputs, Run

    load_plugins(plugins)
    inputs = Inputs(options.pop("store"), options.pop("held_out"), forget_set)
    tuning.try_candidates(inputs, Run(out=out, **options), original, method, candidates)


@main.command()
@click.argument("trials", type=EXISTING_FILE, nargs=-1, required=True)
@click.option("--out", type=FILE, required=True, help="Overrides for the configuration (YAML).")
@_record_option
def choose(trials: tuple[Path, ...], out: Path, record: Path | None) -> None:
    """Choose the best candidate of each row and benchmark from TRIALS of `lotus tune`."""
    from lotus.runs.tuning import choose_best

    choose_best(trials, out, record or _beside(out))


@main.command()
@click.option(
    "--of",
    "rows",
    type=(str, EXISTING_FILE),
    multiple=True,
    required=True,
    help="Name of a row and its predictions; repeatable. `original` is needed, and `gold` or a "
    "method; without `gold` there are no metrics against it.",
)
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), required=True, help="Of the attack.")
@click.option("--labels", type=_YamlType(), default="{}", help="Names for the file.")
@click.option("--out", type=FILE, required=True, help="Metrics (JSON).")
@_record_option
def evaluate(
    rows: tuple[tuple[str, Path], ...],
    seed: int,
    labels: dict[str, Any],
    out: Path,
    record: Path | None,
) -> None:
    """Compute all metrics of one scenario and seed from predictions."""
    from lotus.runs.evaluation import evaluate_runs, rows_of

    evaluate_runs(rows_of(rows), seed, labels, out, record or _beside(out))


@main.command(
    epilog="""\b
    Example, after `snakemake --cores all`:
      lotus gradcam --store data/stores/fashion-mini \\
        --forget-set results/fashion-mini/splits/seed13/class-trouser.json \\
        --of original results/fashion-mini/resnet18/seed13/original/corrected \\
        --of gold results/fashion-mini/resnet18/seed13/class-trouser/corrected/gold \\
        --of lotus results/fashion-mini/resnet18/seed13/class-trouser/corrected/lotus --out gradcam.npz
      lotus figure gradcam gradcam.npz --out gradcam --record gradcam.figure.json"""
)
@click.option("--store", type=EXISTING_FOLDER, required=True, help="Image store.")
@_forget_set_option
@click.option(
    "--of",
    "runs",
    type=(str, EXISTING_FOLDER),
    multiple=True,
    required=True,
    help="Name of a row and the folder of its run; repeatable. `original` is needed.",
)
@click.option(
    "--images",
    "count",
    type=click.IntRange(1),
    default=4,
    show_default=True,
    help="Forget images: the first of each class, then the second of each, and so on.",
)
@_device_options
@_protocol_option
@click.option("--labels", type=_YamlType(), default="{}", help="Names for the record.")
@click.option("--out", type=FILE, required=True, help="The maps (.npz); their record lies beside.")
def gradcam(store: Path, runs: tuple[tuple[str, Path], ...], **options: Any) -> None:
    """Compute where in forget images models see the true class (Grad-CAM)."""
    from lotus.runs.gradcam import explain

    options["device_name"] = options.pop("device")
    explain(store, runs=dict(runs), **options)


@main.command()
@click.argument("name")
@click.argument("sources", type=EXISTING_FILE, nargs=-1, required=True)
@click.option("--out", type=FILE, required=True, help="File name without its ending.")
@click.option("--record", type=FILE, required=True, help="Record (JSON).")
def table(name: str, sources: tuple[Path, ...], out: Path, record: Path) -> None:
    """Write the table NAME from its SOURCES, as CSV and LaTeX.

    NAME is benchmark, summary, per-seed, correlation or ablation (of metrics files) or times or cost (of
    run records).
    """
    from lotus.tables.tables import write_table

    write_table(name, sources, out, record)


@main.command()
@click.argument("sources", type=EXISTING_FILE, nargs=-1, required=True)
@click.option("--out", type=FOLDER, required=True, help="Folder of the means (JSON).")
@click.option("--records", type=FOLDER, required=True, help="Folder of their records (JSON).")
def means(sources: tuple[Path, ...], out: Path, records: Path) -> None:
    """Write the means over the seeds of all metrics in SOURCES, as `dvc metrics` reads them."""
    from lotus.results.means import write_means

    write_means(sources, out, records)


@main.command()
@click.argument("table", type=EXISTING_FILE)
@click.option(
    "--switch",
    "switches",
    multiple=True,
    help="Which to print, as M1 or E5+E6; repeatable; all unless named.",
)
def effects(table: Path, switches: tuple[str, ...]) -> None:
    """Print what each published behaviour changes, from the TABLE results/tables/ablation.csv."""
    from lotus.tables.effects import effects

    click.echo("\n".join(effects(table, switches)))


@main.command()
@click.argument("published", type=EXISTING_FOLDER)
@click.option("--of", "names", multiple=True, help="Sign to print; repeatable; all unless named.")
def signs(published: Path, names: tuple[str, ...]) -> None:
    """Print what the numbers in PUBLISHED (report/published) show of the published behaviours."""
    from lotus.claims.behaviours_in_print import signs
    from lotus.published.numbers import load_published

    click.echo("\n".join(signs(load_published(published), names)))


@main.command()
@click.argument("name")
@click.argument("sources", type=EXISTING_FILE, nargs=-1, required=True)
@click.option("--out", type=FILE, required=True, help="File name without its ending.")
@click.option("--record", type=FILE, required=True, help="Record (JSON).")
def figure(name: str, sources: tuple[Path, ...], out: Path, record: Path) -> None:
    """Draw the figure NAME from its SOURCES, as SVG, PDF and PNG.

    NAME is streisand, avg-gap, rf-jsd or jsd-bars (of metrics files), times, time-bars, cost or temperature
    (of run records), pareto (of both), duplicates, classes or similarity (of audits by `lotus duplicates`)
    or gradcam (of what `lotus gradcam` wrote).
    """
    from lotus.figures.figures import draw

    draw(name, sources, out, record)


@main.command()
@click.option("--config", type=_YamlType(), required=True, help="The configuration, as a mapping.")
@click.option(
    "--origins",
    type=_YamlType(),
    default="{files: [], given: {}}",
    help="Where it comes from, for the record: '{files: [a.yaml], given: {limit: 150}}'.",
)
@click.option("--out", type=FILE, required=True, help="Description (JSON).")
@_record_option
def describe(
    config: dict[str, Any], origins: dict[str, Any], out: Path, record: Path | None
) -> None:
    """Write down what an experiment consists of: benchmarks, rows, resolved hyper-parameters."""
    from lotus.config.origins import Origin
    from lotus.plan.contents import write_description
    from lotus.plan.making import make_plan

    plan = make_plan(config, [Origin("--config", config)])
    write_description(plan, origins, out, record or _beside(out))


_experiment_option = click.option(
    "--experiment", type=EXISTING_FILE, required=True, help="What `lotus describe` wrote."
)
_published_option = click.option(
    "--published",
    type=EXISTING_FOLDER,
    default="report/published",
    show_default=True,
    help="Folder of the published numbers.",
)


@main.command()
@click.argument("name")
@_experiment_option
@_published_option
@click.option("--out", type=FILE, required=True, help="File name without its ending.")
@click.option("--record", type=FILE, required=True, help="Record (JSON).")
def exhibit(name: str, experiment: Path, published: Path, out: Path, record: Path) -> None:
    """Write the paper's table NAME (table1, classes, …) beside what was measured, as CSV and LaTeX."""
    from lotus.tables.exhibits import write_exhibit

    write_exhibit(name, experiment, published, out, record)


@main.command()
@click.option(
    "--claims",
    "stated",
    type=EXISTING_FILE,
    default="report/claims.yaml",
    show_default=True,
    help="The claims and the rules by which they are checked.",
)
@_published_option
@_experiment_option
@click.option("--out", type=FILE, required=True, help="All verdicts with their numbers (JSON).")
@click.option("--table", type=FILE, required=True, help="File name of the table, without ending.")
@click.option("--record", type=FILE, required=True, help="Record (JSON).")
def claims(
    stated: Path, published: Path, experiment: Path, out: Path, table: Path, record: Path
) -> None:
    """Judge the paper's claims: on its printed numbers, and on what was measured."""
    from lotus.claims.verdicts import write_verdicts

    write_verdicts(stated, published, experiment, out, table, record)


@main.command()
@_experiment_option
@_published_option
@click.option("--template", type=EXISTING_FILE, required=True, help="Jinja template of the page.")
@click.option("--out", type=FILE, required=True, help="The page (HTML).")
@_record_option
def report(
    experiment: Path, published: Path, template: Path, out: Path, record: Path | None
) -> None:
    """Write the report, one self-contained page."""
    from lotus.page.report import write_report

    write_report(experiment, published, template, out, record or _beside(out))


@main.command("cache-stores")
@click.argument("folders", type=EXISTING_FOLDER, nargs=-1, required=True)
@click.option("--out", type=FILE, required=True, help="What DVC says of them (JSON).")
@_record_option
def cache_stores(folders: tuple[Path, ...], out: Path, record: Path | None) -> None:
    """Put the stores in FOLDERS, which data.dvc locks, into DVC's cache."""
    from lotus.tracking import dvc

    dvc.cache_stores(folders, out, record or _beside(out))


@main.command(
    epilog="""\b
    verified  bytes, record, code, parameters and inputs agree
    stale     made by other code, parameters or inputs than the present ones
    changed   bytes or record are not as they were written
    missing   recorded or wanted, and not there
    orphan    there, and no record states it
    The exit status is 0 if everything is verified, else 1."""
)
@_configfile_option
@click.option("--json", "as_json", is_flag=True, help="Everything, as JSON.")
@click.option(
    "--full",
    is_flag=True,
    help="Read also files that did not change since the last audit.",
)
def audit(configfiles: tuple[Path, ...], as_json: bool, full: bool) -> None:
    """Check every artifact of the project in this folder against its record and the present code."""
    from lotus.audit import to_text
    from lotus.audit.project import audit_project

    found = audit_project(configfiles, full)
    click.echo(to_text.as_json(found) if as_json else to_text.as_text(found))
    if not found.ok:
        sys.exit(1)


@main.command()
def publish() -> None:
    """Put stores, models, predictions and results into DVC, and stage the small text in git.

    Pushes to the DVC remote if one is set. Nothing is published if the audit finds an artifact changed.
    """
    from lotus.publish.publish import publish

    click.echo("\n".join(publish()))


@main.command()
@_configfile_option
@click.option("--cores", default="all", show_default=True, help="For Snakemake.")
@click.option(
    "--list", "only_list", is_flag=True, help="Say what would run again and why; change nothing."
)
@click.option("--recompute", is_flag=True, help="Compute what DVC should hold and cannot give.")
@click.option(
    "--figures",
    is_flag=True,
    help="Instead: pull predictions alone, and make tables, figures, claims and page from them.",
)
def restore(
    configfiles: tuple[Path, ...], cores: str, only_list: bool, recompute: bool, figures: bool
) -> None:
    """Take what was published as made, after `dvc pull` or a change of branch, and run only the rest.

    A step stands if its record verifies and all steps before it stand.
    """
    if figures:
        # Alone, since the other way needs the methods, and these torch.
        from lotus.publish.replay import redraw

        redrawn = redraw(_in_this_process)
        click.echo("\n".join(redrawn.lines()))
        if redrawn.other:
            sys.exit(1)
        return
    from lotus.publish.restore import restore

    found = restore(configfiles, cores, recompute, only_list)
    if only_list:
        click.echo("\n".join(found.lines()))


def _in_this_process(arguments: Sequence[str]) -> None:
    """Does what a command says; records name that command."""
    sys.argv = ["lotus", *arguments]
    try:
        main(list(arguments), standalone_mode=False)
    except click.ClickException as error:
        # It holds the command itself, which cannot be handed over between processes.
        raise LotusError(f"{shlex.join(sys.argv)[:200]}: {error.format_message()}") from None


@main.command()
@click.option("--out", type=FILE, required=True, help="The ledger (JSON).")
def seal(out: Path) -> None:
    """Write down the digest of every record."""
    from lotus.records import ledger

    ledger.seal(out)


@main.command(
    "export-crate",
    epilog="""\b
    Example, after `snakemake --cores all`:
      lotus export-crate --out crate.zip""",
)
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
    """Write what was run, from the records, as a Workflow Run RO-Crate.

    Stores, models and predictions are not copied but named by their sha256. Nothing is written if a record
    was edited or a file is not as its record states it.
    """
    from lotus.crate.export import export_crate

    written = export_crate(out, copy_below)
    click.echo(
        f"{out}: {written.steps} steps, {written.copied} files, "
        f"{written.named} more by their digest only"
    )


@main.command(
    epilog="""\b
    Examples, where results were published or are at hand:
      lotus diff HEAD~1 .            the last published results and those here
      lotus diff v1.0 main           two commits
      lotus diff /elsewhere/results  another folder and the results here"""
)
@click.argument("a")
@click.argument("b", default=".")
@click.option("--json", "as_json", is_flag=True, help="All of it as JSON.")
@click.option(
    "--top",
    type=click.IntRange(0),
    default=20,
    show_default=True,
    help="Entries to show of each list.",
)
@click.option("--times", is_flag=True, help="Compare the seconds of training and unlearning too.")
def diff(a: str, b: str, as_json: bool, top: int, times: bool) -> None:
    """Say which numbers moved from A to B, and which recorded changes can explain it.

    A and B are folders (a project or its results) or commits in which results were published; B is the
    present folder unless named. A folder wins over a branch of its name.
    """
    from lotus.diff import to_json, to_text
    from lotus.diff.compare import compare
    from lotus.diff.loading import open_side

    found = compare(open_side(a), open_side(b), times)
    if as_json:
        click.echo(json.dumps(to_json.as_json(found), indent=1, allow_nan=False))
    else:
        click.echo("\n".join(to_text.lines(found, top)))


@main.command(
    epilog="""\b
    Examples, after `snakemake --cores all --configfile config/digits.yaml`:
      lotus lineage results/figures/avg-gap.svg --brief
      lotus lineage results/tables/summary.csv:lotus:avg_gap:scenario=instance-10
      lotus lineage results/paper/table1.csv:lotus:avg_gap:protocol=corrected --picture number.svg"""
)
@click.argument("artifact", metavar="PATH[:ROW:COLUMN[:KEY=VALUE…]]")
@click.option("--json", "as_json", is_flag=True, help="All facts and full digests, as JSON.")
@click.option("--picture", type=FILE, help="Draw the tree as well: .svg, .png or .pdf.")
@click.option("--depth", type=click.IntRange(0), help="Levels below the artifact; all by default.")
@click.option("--brief", is_flag=True, help="One line for each file.")
def lineage(
    artifact: str, as_json: bool, picture: Path | None, depth: int | None, brief: bool
) -> None:
    """Show what an artifact or a number of a table was made of, down to the source files.

    PATH is a figure, table, metrics file, model, predictions, split, audit, report or record, or the folder
    of a run or a store. Every file that is shown is hashed; if one is missing, or is not what the
    records state, this fails after the tree.
    """
    from lotus.lineage import lookup, recorded_facts, to_text

    found = lookup.look_up(artifact, depth)
    if found.moved:
        click.echo(found.moved, err=True)
    if picture is not None:
        from lotus.lineage.picture import draw

        draw(found.tree, found.heading, picture)
    if as_json:
        click.echo(json.dumps(recorded_facts.as_json(found.tree, found.values), indent=1))
    else:
        for line in (*found.value_lines(), *to_text.lines(found.tree, depth, brief)):
            click.echo(line)
    if found.tree.problems:
        sys.exit(1)


@main.command("methods")
@_plugin_option
def list_methods(plugins: tuple[str, ...]) -> None:
    """List the unlearning methods: idea, hyper-parameters with defaults, what is read, source."""
    from dataclasses import MISSING, fields

    from lotus.config.register import REGISTER
    from lotus.methods.base import described, registry
    from lotus.methods.base.plugins import load_plugins

    load_plugins(plugins)
    for name in registry.available():
        said, entry = described.describe(name), registry.entry_of(name)
        click.echo(f"{name}\n  {said.idea}")
        every = fields(entry.cls)  # type: ignore[arg-type]
        values = (f.name if f.default is MISSING else f"{f.name}={f.default}" for f in every)
        lines = {"defaults": "  ".join(values)}
        for switch, constants in entry.released.items():
            brought = "  ".join(f"{key}={value}" for key, value in constants.items())
            lines[switch] = REGISTER[switch].released + (f": {brought}" if brought else "")
        lines |= {"reads": said.reads, "source": said.source, "not for": said.not_for}
        for key, text in lines.items():
            if text:
                click.echo(f"  {key}: {text}")


@main.command("protocols")
def list_protocols() -> None:
    """List the switches between the protocols: what the published code does, and where."""
    from lotus.config.protocol import SWITCHES
    from lotus.config.register import REGISTER

    for name, switch in REGISTER.items():
        click.echo(f"{name}  {switch.where} ({SWITCHES[name]}): {switch.released}")


@main.command("datasets")
def list_datasets() -> None:
    """List the data sets with their classes."""
    from lotus.data import sources

    for name in sources.available():
        described = sources.source(name)
        click.echo(f"{name}\n  {described.title}; {described.version}")
        click.echo(f"  licence: {described.licence}\n  {described.homepage}")
        if described.obtain:
            click.echo(f"  how to obtain: {described.obtain}")
        for file in described.files:
            where = file.origin or file.url or "to be fetched by hand"
            click.echo(f"  {file.name}  md5 {file.md5 or 'not published'}  {where}")
        if described.classes is not None:
            shown = described.classes[:12]
            more = f", … ({len(described.classes)} in all)" if shown != described.classes else ""
            click.echo(f"  classes: {', '.join(shown)}{more}")


@main.command("check-config")
@click.argument("config", type=EXISTING_FILE)
def check_config(config: Path) -> None:
    """Check a configuration file and say what it would run."""
    from lotus.config.origins import read_origin
    from lotus.plan.description import summary
    from lotus.plan.feasible import refuse_nonsense
    from lotus.plan.making import make_plan

    origin = read_origin(config)
    plan = make_plan(origin.content, [origin])
    refuse_nonsense(plan, [origin])
    click.echo("\n".join(map(shown, summary(plan).splitlines())))


@main.command()
def schema() -> None:
    """Print the JSON schema of configuration files (config/schema.json)."""
    from lotus.plan.schema import json_schema

    click.echo(json.dumps(json_schema(), indent=2))


if __name__ == "__main__":
    run()
