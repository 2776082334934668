"""Steps of the workflow that make images, their splits, and lists of look-alikes."""

from pathlib import Path
from typing import Any

import click

from lotus.cli.examples import examples
from lotus.cli.output import print_lines
from lotus.cli.parameters import (
    EXISTING_FILE,
    EXISTING_FOLDER,
    FILE,
    FOLDER,
    SEED,
    YamlType,
    apart_option,
    beside,
    labels_option,
    record_option,
    seed_option,
    store_option,
    workers_option,
)

store_options = click.option(
    "--options",
    type=YamlType(),
    default="{}",
    help="As `store` in the configuration: '{source: image-folder, raw: birds, side: 96}'.",
)
locked_option = click.option(
    "--locked",
    default="any",
    show_default=True,
    help="Digest that the store must have, as data.dvc states it.",
)


@click.command(epilog=examples("lotus fetch digits --out my-raw.json"))
@click.argument("dataset")
@store_options
@click.option(
    "--mirror",
    "mirrors",
    multiple=True,
    help="Folder or URL with archives or unpacked folders, looked at before downloading; repeatable.",
)
@click.option("--out", type=FILE, required=True, help="List of the verified files (JSON).")
def fetch(dataset: str, options: dict[str, Any], mirrors: tuple[str, ...], out: Path) -> None:
    """Find or download the raw files of DATASET.

    Their checksums are verified. `lotus datasets` lists the data sets.
    """
    from lotus.config.images import StoreOptions
    from lotus.config.mistakes import check
    from lotus.data.build import fetch_raw

    fetch_raw(dataset, check(StoreOptions, options, "--options"), mirrors, out)


@click.command(epilog=examples("lotus store digits --raw data/raw/digits.json --out my-store"))
@click.argument("dataset")
@store_options
@click.option("--raw", type=EXISTING_FILE, required=True, help="List that `lotus fetch` wrote.")
@locked_option
@click.option(
    "--workers",
    type=click.IntRange(1),
    help="Processes that decode images; all processors unless given.",
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
    """Build the image store of DATASET from its raw files.

    A store holds all images of a data set, decoded, with their labels.
    """
    from lotus.config.images import StoreOptions
    from lotus.config.mistakes import check
    from lotus.data.build import build_store

    chosen = check(StoreOptions, options, "--options")
    build_store(dataset, chosen, raw, out, None if locked == "any" else locked, workers)


@click.command(
    epilog=examples(
        "lotus verify data/stores/digits --raw data/raw/digits.json --out my-verified.json"
    )
)
@click.argument("folder", type=EXISTING_FOLDER)
@locked_option
@store_options
@click.option(
    "--raw",
    type=EXISTING_FILE,
    help="List that `lotus fetch` wrote; the store must be made of its files.",
)
@click.option("--out", type=FILE, required=True, help="Record of the verified store (JSON).")
def verify(folder: Path, locked: str, options: dict[str, Any], raw: Path | None, out: Path) -> None:
    """Check that the store in FOLDER is sound.

    With --locked, it must also be the one that data.dvc locks.
    """
    from lotus.data.build import verify_store

    verify_store(folder, None if locked == "any" else locked, out, options, raw)


@click.command(epilog=examples("lotus cache-stores data/stores/digits --out my-stores.json"))
@click.argument("folders", type=EXISTING_FOLDER, nargs=-1, required=True)
@click.option("--out", type=FILE, required=True, help="Digests that DVC states of them (JSON).")
@record_option
def cache_stores(folders: tuple[Path, ...], out: Path, record: Path | None) -> None:
    """Put stores that data.dvc locks into DVC's cache.

    FOLDERS are the stores.
    """
    from lotus.tracking import dvc

    dvc.cache_stores(folders, out, record or beside(out))


@click.command(
    epilog=examples("lotus split-held-out --store data/stores/digits --seed 1 --out held-out.json")
)
@store_option
@seed_option
@apart_option
@click.option("--out", type=FILE, required=True, help="Validation and test halves (JSON).")
@record_option
def split_held_out(
    store: Path, seed: int, seeds_apart: dict[str, int], out: Path, record: Path | None
) -> None:
    """Halve the held-out images into validation and test.

    The halves are stratified by class.
    """
    from lotus.data.splits import write_held_out

    write_held_out(store, seed, out, record or beside(out), seeds_apart.get("split"))


@click.command(
    epilog=examples(
        "lotus halve-training --store data/stores/digits --seed 1000000 --out half.json"
    )
)
@store_option
@seed_option
@click.option("--out", type=FILE, required=True, help="A half of the training images (JSON).")
@record_option
def halve_training(store: Path, seed: int, out: Path, record: Path | None) -> None:
    """Draw a random half of the training images.

    An even seed and the next one draw halves that have no image in common. Models of halves are what
    privacy is measured with.
    """
    from lotus.data.splits import write_half

    write_half(store, seed, out, record or beside(out))


@click.command(epilog=examples("lotus hash-images --store data/stores/digits --out hashes.json"))
@store_option
@click.option("--out", type=FILE, required=True, help="Hashes of the training images (JSON).")
@record_option
@workers_option
def hash_images(store: Path, out: Path, record: Path | None, workers: int) -> None:
    """Compute perceptual hashes of the training images.

    By these, forget sets of whole clusters of look-alikes are chosen.
    """
    from lotus.data.image_hashes import write_hashes

    write_hashes(store, out, record or beside(out), workers)


@click.command(
    epilog=examples(
        "lotus choose-forget-set --store data/stores/digits --scenario '{forget_fraction: 0.1}'"
        " --seed 1 --out forget-a-tenth.json",
        "lotus choose-forget-set --store data/stores/digits --scenario '{forget_class: three}'"
        " --seed 1 --out forget-three.json",
    )
)
@store_option
@click.option(
    "--scenario",
    type=YamlType(),
    required=True,
    help="As in the configuration: '{forget_fraction: 0.1}', '{forget_class: Trouser}' or '{forget_list: "
    "my-list.csv}'.",
)
@click.option("--seed", type=SEED, required=True, help="Seed of the random rule.")
@click.option(
    "--half",
    type=EXISTING_FILE,
    help="A half of the training images (`lotus halve-training`), to which both sets are limited.",
)
@click.option(
    "--known",
    type=EXISTING_FILE,
    help="Losses (`lotus rank-images`) or hashes (`lotus hash-images`) of the training images, for the "
    "rules that go by these.",
)
@apart_option
@labels_option
@click.option("--out", type=FILE, required=True, help="Forget and retain indices (JSON).")
@record_option
def choose_forget_set(
    store: Path,
    scenario: dict[str, Any],
    seeds_apart: dict[str, int],
    record: Path | None,
    out: Path,
    **options: Any,
) -> None:
    """Choose which training images are to be forgotten."""
    from lotus.config.mistakes import check
    from lotus.config.scenarios import Scenario
    from lotus.data.splits import write_forget_set

    chosen = check(Scenario, scenario, "--scenario")
    options |= {"out": out, "record": record or beside(out)}
    write_forget_set(store, chosen, split_seed=seeds_apart.get("split"), **options)


@click.command(
    epilog=examples(
        "lotus picture-forget-set --store data/stores/digits"
        " --forget-set results/digits/splits/seed13/class-three.json --out my-sheet.png"
    )
)
@store_option
@click.option("--forget-set", type=EXISTING_FILE, required=True, help="Forget and retain indices.")
@labels_option
@click.option(
    "--out",
    type=FILE,
    required=True,
    help="The sheet (PNG); beside it a list (JSON) of what it shows.",
)
@record_option
def picture_forget_set(
    store: Path, forget_set: Path, labels: dict[str, Any], out: Path, record: Path | None
) -> None:
    """Draw a sheet of small pictures of forget images.

    The report shows it beside the numbers.
    """
    from lotus.data.forget_sheet import write_forget_sheet

    write_forget_sheet(store, forget_set, labels, out, record or beside(out))


@click.command(
    epilog=examples(
        "lotus duplicates data/stores/digits --out audit.json --cleaned cleaned.csv"
        " --held-out results/digits/splits/seed13/held-out.json"
        " --forget-set results/digits/splits/seed13/instance-10.json"
    )
)
@click.argument("folder", metavar="STORE", type=EXISTING_FOLDER)
@click.option("--held-out", type=EXISTING_FILE, help="Validation and test halves.")
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
    type=SEED,
    default=0,
    show_default=True,
    help="Seed of the choice of these pairs.",
)
@labels_option
@click.option("--out", type=FILE, required=True, help="List of look-alikes (JSON).")
@click.option("--cleaned", type=FILE, help="Which images cleaning keeps (CSV).")
@record_option
@workers_option
def duplicates(folder: Path, out: Path, record: Path | None, **options: Any) -> None:
    """Find images of STORE that look alike.

    Images are duplicates if their perceptual hashes agree, within a part of the store or across two.
    Cleaning keeps one of them: a test image rather than one of the validation, forget or retain set, in
    this order; within a part the first.
    """
    from lotus.data.lookalikes import audit_store

    audit_store(folder, out, record or beside(out), **options)


@click.command(
    epilog=examples(
        "lotus clean-mufac mufac mufac_clean", when="where MUFAC lies in the folder mufac"
    )
)
@click.argument("source", type=EXISTING_FOLDER)
@click.argument("out", type=FOLDER)
@click.option(
    "--forget-rows",
    type=click.IntRange(1),
    default=1_500,
    show_default=True,
    help="First rows of the training CSV, which are the forget set.",
)
@workers_option
def clean_mufac(source: Path, out: Path, forget_rows: int, workers: int) -> None:
    """Write a copy of MUFAC without duplicates.

    SOURCE is MUFAC's folder, OUT the new one; its authors name it after SOURCE, with _clean at the end.
    What was found is printed beside the numbers of the paper's notebook. `lotus duplicates --help` says
    which images are kept.
    """
    from lotus.data.clean_mufac import clean

    print_lines(clean(source, out, forget_rows, workers).lines())
