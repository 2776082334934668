"""The command that begins with a trained model of the user's."""

from pathlib import Path
from typing import Any

import click

from lotus.cli.examples import examples
from lotus.cli.output import print_lines
from lotus.cli.parameters import EXISTING_FILE, FILE, SEED, SettingType
from lotus.errors import LotusError


def _numbers(_: click.Context, param: click.Parameter, value: str | None) -> Any:
    """Reads `0.5,0.5,0.5`."""
    if value is None:
        return None
    try:
        return tuple(float(part) for part in value.split(","))
    except ValueError:
        raise click.BadParameter(
            f"{value!r}; accepted: a number for each channel, with commas between: 0.485,0.456,0.406",
            param=param,
        ) from None


@click.command(
    epilog=examples(
        "lotus adopt --weights mine.pt --architecture timm:resnet18.a1_in1k --images photos"
        " --forget list.csv --out my-model.yaml",
        "lotus adopt --weights mine.pt --architecture torchvision:resnet18 --images faces.csv"
        " --forget-where subject=17 --out my-model.yaml",
        when="with files of your own (docs/own-model.md)",
    )
)
@click.option("--weights", type=EXISTING_FILE, required=True, help="The trained model.")
@click.option(
    "--entry", help="Of a file with several state dicts, the key of the one that is meant."
)
@click.option(
    "--architecture",
    "network",
    required=True,
    metavar="NETWORK",
    help="timm:NAME, torchvision:NAME, FILE.py that builds it, or a network of this package.",
)
@click.option(
    "--set",
    "options",
    type=SettingType(),
    multiple=True,
    help="Further keys of the network's section, such as width=8. Repeatable.",
)
@click.option(
    "--images",
    required=True,
    metavar="PATH",
    help="Folder of class folders, CSV file, or the name of a data set (`lotus datasets`).",
)
@click.option(
    "--held-out",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    help="Share of each class that is held out, where the images do not say which are.",
)
@click.option(
    "--size", type=click.IntRange(1), help="Side of the square that the model sees, in pixels."
)
@click.option("--mean", callback=_numbers, help="Of each channel, on the 0–1 scale.")
@click.option("--std", callback=_numbers, help="Like --mean.")
@click.option("--forget", type=EXISTING_FILE, help="List of names or ids (CSV, TXT) to forget.")
@click.option(
    "--forget-where",
    type=SettingType(),
    multiple=True,
    help="Forget the images with this value in a column of the CSV: subject=17. Repeatable.",
)
@click.option(
    "--forget-glob", multiple=True, metavar="PATTERN", help="Forget images by name. Repeatable."
)
@click.option("--method", "methods", multiple=True, help="Row of the tables. Repeatable.")
@click.option("--seed", "seeds", type=SEED, multiple=True, help="Seed. Repeatable.")
@click.option("--gold", is_flag=True, help="Retrain a model without the forgotten images, too.")
@click.option("--name", default="my-model", show_default=True, help="Of the model, in paths.")
@click.option(
    "--device",
    default="auto",
    show_default=True,
    envvar="LOTUS_DEVICE",
    help="auto, cpu, cuda or cuda:N, for the first check.",
)
@click.option("--out", type=FILE, required=True, help="Configuration to write (YAML).")
@click.option("--replace", is_flag=True, help="Write over a configuration that is there.")
def adopt(out: Path, device: str, replace: bool, **given: Any) -> None:
    """Write the configuration by which a model forgets.

    The model is asked about some held-out images first: where it gets few of them right, its normalisation,
    image size or order of classes is another one. Nothing is built or trained: Snakemake does that.
    """
    from lotus.adopt.adopt import adopt as write
    from lotus.adopt.wish import Wish
    from lotus.engine.device import check_name

    check_name(device)
    options, chosen = dict(given.pop("options")), _forget(given)
    # What was not given is as `Wish` has it.
    wish = Wish(
        **{key: value for key, value in given.items() if value not in (None, ())},
        forget=chosen,
        network_options=options,
    )
    found = write(wish, out, device, replace)
    print_lines([*found.lines(), f"{out} is written; snakemake --cores all --configfile {out}"])


def _forget(given: dict[str, Any]) -> dict[str, Any]:
    """Takes the options that say what is forgotten, and returns the keys of a scenario."""
    listed, where = given.pop("forget"), dict(given.pop("forget_where"))
    patterns = list(given.pop("forget_glob"))
    found = {
        "forget_list": listed.as_posix() if listed is not None else None,
        "forget_where": where,
        "forget_glob": patterns,
    }
    chosen = {key: value for key, value in found.items() if value}
    if len(chosen) != 1:
        raise LotusError("give one of --forget, --forget-where and --forget-glob")
    return chosen
