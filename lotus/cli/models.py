"""Steps of the workflow that make models, and those that tune and explain them."""

from pathlib import Path
from typing import Any

import click

from lotus.cli.examples import examples
from lotus.cli.parameters import (
    EXISTING_FILE,
    EXISTING_FOLDER,
    FILE,
    FOLDER,
    SettingType,
    YamlType,
    apart_option,
    beside,
    device_options,
    forget_set_option,
    labels_option,
    plugin_option,
    protocol_option,
    record_option,
    seed_option,
    store_option,
    together,
)

SPLITS = "results/digits/splits/seed13"
RUNS = "results/digits/resnet18/seed13"
TRAINING = " --architecture '{model: resnet18, width: 8, training: {epochs: 2, warmup_epochs: 1}}'"

run_options = together(
    store_option,
    click.option(
        "--held-out", type=EXISTING_FILE, required=True, help="Validation and test halves."
    ),
    seed_option,
    apart_option,
    device_options,
    labels_option,
    protocol_option,
)
out_option = click.option("--out", type=FOLDER, required=True, help="Folder of the run.")
original_option = click.option(
    "--original", type=EXISTING_FOLDER, required=True, help="Folder of the original model's run."
)
network_option = click.option(
    "--network",
    "network_file",
    metavar="FILE",
    help="Python file of your own that builds the original's network (docs/own-network.md).",
)
weights_option = click.option(
    "--weights-of",
    type=EXISTING_FOLDER,
    help="Folder of another run with the same weights; then only predictions are made.",
)
recipe_options = together(
    click.option(
        "--architecture",
        type=YamlType(),
        required=True,
        help="As in the configuration: '{model: resnet18, width: 8, training: {epochs: 15}}'.",
    ),
    click.option(
        "--images",
        type=YamlType(),
        default="{}",
        help="As the data set's section of the configuration: '{augmentation: {crop_padding: 4}}'.",
    ),
)
training_options = together(
    recipe_options,
    click.option(
        "--checkpoint-every",
        type=click.FloatRange(min=0),
        default=60,
        show_default=True,
        metavar="SECONDS",
        envvar="LOTUS_CHECKPOINT_EVERY",
        help="Least time between two checkpoints, from which a killed training goes on; 0: one each epoch.",
    ),
)


@click.command(
    epilog=examples(
        f"lotus rank-images --store data/stores/digits{TRAINING} --out losses.json",
        "lotus choose-forget-set --store data/stores/digits --known losses.json --seed 1"
        " --scenario '{forget_fraction: 0.1, forget_rule: hardest}' --out forget-the-hardest.json",
    )
)
@store_option
@recipe_options
@device_options
@labels_option
@click.option("--out", type=FILE, required=True, help="Loss of each training image (JSON).")
@record_option
def rank_images(
    store: Path,
    architecture: dict[str, Any],
    images: dict[str, Any],
    out: Path,
    record: Path | None,
    **options: Any,
) -> None:
    """Tell how hard each training image is.

    That is its loss under a model that was not trained on it: four are trained, each on three quarters
    of the images.
    """
    from lotus.config.architectures import ARCHITECTURE
    from lotus.config.images import Dataset
    from lotus.config.mistakes import check
    from lotus.runs import ranking

    chosen = check(ARCHITECTURE, architecture, "--architecture")
    use = check(Dataset, images, "--images")
    options["device_name"] = options.pop("device")
    ranking.rank_images(store, chosen, use, out=out, record=record or beside(out), **options)


@click.command(
    epilog=examples(
        f"lotus pretrain --store data/stores/digits --held-out {SPLITS}/held-out.json --seed 13"
        f"{TRAINING} --out my-original"
    )
)
@run_options
@out_option
@weights_option
@training_options
@click.option(
    "--half",
    type=EXISTING_FILE,
    help="A half of the training images (`lotus halve-training`) to train on, instead of all.",
)
def pretrain(**options: Any) -> None:
    """Train the original model, on all training images."""
    _train("original", None, options)


@click.command(
    epilog=examples(
        f"lotus retrain --store data/stores/digits --held-out {SPLITS}/held-out.json"
        f" --forget-set {SPLITS}/instance-10.json --seed 13{TRAINING} --out my-gold"
    )
)
@run_options
@out_option
@weights_option
@forget_set_option
@training_options
@click.option(
    "--again",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="Number of a further gold of the same images, with other first weights and batches.",
)
@click.option(
    "--kept",
    type=click.FloatRange(0, 1),
    default=0,
    show_default=True,
    help="Share of the forget set that it is trained on all the same, for trials of measures.",
)
@click.option(
    "--in-train-mode",
    is_flag=True,
    help="Ask it with BatchNorm in train mode, for trials of measures.",
)
def retrain(forget_set: Path, **options: Any) -> None:
    """Train the gold model, which sees no forget image.

    It starts from fresh weights, as the original model does.
    """
    is_gold = not options["kept"] and not options["in_train_mode"]
    _train("gold" if is_gold else "retrained", forget_set, options)


def _train(kind: str, forget_set: Path | None, options: dict[str, Any]) -> None:
    """Trains a model from what its command was called with."""
    from lotus.config.architectures import ARCHITECTURE
    from lotus.config.images import Dataset
    from lotus.config.mistakes import check
    from lotus.runs.run import Inputs, Run
    from lotus.runs.train import train_run

    architecture = check(ARCHITECTURE, options.pop("architecture"), "--architecture")
    use = check(Dataset, options.pop("images"), "--images")
    half = options.pop("half", None)
    inputs = Inputs(options.pop("store"), options.pop("held_out"), forget_set, half=half)
    weights_of = options.pop("weights_of")
    train_run(kind, inputs, Run(**options), architecture, use, weights_of)


@click.command(
    epilog=examples(
        "lotus unlearn lotus --set alpha=4 --seed 13 --store data/stores/digits"
        f" --held-out {SPLITS}/held-out.json --forget-set {SPLITS}/instance-10.json"
        f" --original {RUNS}/original/corrected --out my-run"
    )
)
@click.argument("method")
@run_options
@out_option
@weights_option
@forget_set_option
@original_option
@click.option(
    "--calibration",
    type=EXISTING_FOLDER,
    help="Store of synthetic images, which METHOD gets in place of validation images.",
)
@click.option(
    "--set",
    "settings",
    type=SettingType(),
    multiple=True,
    help="A hyper-parameter, as alpha=4; repeatable. `lotus methods` lists them.",
)
@plugin_option
@network_option
def unlearn(
    method: str,
    forget_set: Path,
    original: Path,
    network_file: str | None,
    calibration: Path | None,
    settings: tuple[tuple[str, Any], ...],
    plugins: tuple[str, ...],
    **options: Any,
) -> None:
    """Make an original model forget, by METHOD.

    `lotus methods` lists the methods.
    """
    from lotus.methods.base.plugins import load_plugins
    from lotus.runs.run import Inputs, Run
    from lotus.runs.unlearn import unlearn_run

    loaded = load_plugins(plugins)
    inputs = Inputs(options.pop("store"), options.pop("held_out"), forget_set, calibration)
    weights_of = options.pop("weights_of")
    run = Run(**options)
    unlearn_run(inputs, run, original, method, dict(settings), weights_of, loaded, network_file)


@click.command(
    epilog=examples(
        "lotus tune finetune --candidate '{lr: 1e-3}' --candidate '{lr: 1e-2}' --seed 13"
        f" --store data/stores/digits --held-out {SPLITS}/held-out.json"
        f" --forget-set {SPLITS}/instance-10.json --original {RUNS}/original/corrected"
        " --labels '{dataset: digits, architecture: resnet18, scenario: instance-10, row: finetune}'"
        " --out my-trials.json"
    )
)
@click.argument("method")
@run_options
@click.option("--out", type=FILE, required=True, help="Objective of each candidate (JSON).")
@forget_set_option
@original_option
@click.option(
    "--candidate",
    "candidates",
    type=YamlType(),
    multiple=True,
    required=True,
    help="Hyper-parameters to try, as '{lr: 1e-3}'; repeatable.",
)
@plugin_option
@network_option
def tune(
    method: str,
    forget_set: Path,
    original: Path,
    network_file: str | None,
    candidates: tuple[dict[str, Any], ...],
    plugins: tuple[str, ...],
    out: Path,
    **options: Any,
) -> None:
    """Try hyper-parameters of METHOD on one model.

    Each candidate is judged on forget, retain and validation images; neither test images nor the gold model
    are read.
    """
    from lotus.methods.base.plugins import load_plugins
    from lotus.runs import tuning
    from lotus.runs.run import Inputs, Run

    loaded = load_plugins(plugins)
    inputs = Inputs(options.pop("store"), options.pop("held_out"), forget_set)
    run = Run(out=out, **options)
    tuning.try_candidates(inputs, run, original, method, candidates, loaded, network_file)


@click.command(
    epilog=examples(
        "lotus choose my-trials.json --out my-overrides.yaml",
        when="after that of `lotus tune --help`",
    )
)
@click.argument("trials", type=EXISTING_FILE, nargs=-1, required=True)
@click.option("--out", type=FILE, required=True, help="Overrides for the configuration (YAML).")
@record_option
def choose(trials: tuple[Path, ...], out: Path, record: Path | None) -> None:
    """Choose the best of what `lotus tune` tried.

    TRIALS are its files. For each row and benchmark the candidate with the lowest mean objective is
    written, as an override.
    """
    from lotus.runs.tuning import choose_best

    choose_best(trials, out, record or beside(out))


@click.command(
    epilog=examples(
        f"lotus gradcam --store data/stores/digits --forget-set {SPLITS}/class-three.json"
        f" --of original {RUNS}/original/corrected --of gold {RUNS}/class-three/corrected/gold"
        f" --of lotus {RUNS}/class-three/corrected/lotus --out gradcam.npz",
        "lotus figure gradcam gradcam.npz --out gradcam --record gradcam.figure.json",
    )
)
@store_option
@forget_set_option
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
    help="Number of forget images: the first of each class, then the second of each, and so on.",
)
@device_options
@protocol_option
@labels_option
@network_option
@click.option("--out", type=FILE, required=True, help="The maps (.npz); their record lies beside.")
def gradcam(store: Path, runs: tuple[tuple[str, Path], ...], **options: Any) -> None:
    """Compute where models look in forget images (Grad-CAM).

    The maps show which pixels speak for an image's true class.
    """
    from lotus.runs.gradcam import explain

    options["device_name"] = options.pop("device")
    explain(store, runs=dict(runs), **options)
