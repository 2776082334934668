"""Types of arguments, and the options that several commands share."""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from lotus.config import protocol
from lotus.config.protocol import Protocol
from lotus.engine import runtime
from lotus.engine.runtime import Runtime
from lotus.formats.yaml_text import parse

FILE = click.Path(path_type=Path, dir_okay=False)
EXISTING_FILE = click.Path(path_type=Path, dir_okay=False, exists=True)
FOLDER = click.Path(path_type=Path, file_okay=False)
EXISTING_FOLDER = click.Path(path_type=Path, file_okay=False, exists=True)
SEED = click.IntRange(0, 2**32 - 1)


class YamlType(click.ParamType[Any]):
    """A mapping in YAML or JSON, as `'{alpha: 4}'`."""

    name = "mapping"

    def convert(self, value: Any, param: Any, ctx: Any) -> dict[str, Any]:
        """Returns the mapping that a text is."""
        content = parse(value, _option_of(param)).content
        if not isinstance(content, dict):
            self.fail(
                f"{value!r} is not a mapping like '{{model: resnet18, width: 8}}'", param, ctx
            )
        return content


class ProtocolType(click.ParamType[Any]):
    """A protocol by its name."""

    name = "protocol"

    def convert(self, value: Any, param: Any, ctx: Any) -> Protocol:
        """Returns the protocol of a name."""
        return value if isinstance(value, Protocol) else protocol.parse(value)


class RuntimeType(click.ParamType[Any]):
    """Choices of the runtime, as `precision=bf16 compile=on`."""

    name = "choices"

    def convert(self, value: Any, param: Any, ctx: Any) -> Runtime:
        """Returns the runtime that a text declares."""
        return value if isinstance(value, Runtime) else runtime.parse(value)


class CoresType(click.ParamType[Any]):
    """How many processor cores Snakemake may use: a number from 1, or `all`."""

    name = "cores"

    def convert(self, value: Any, param: Any, ctx: Any) -> str:
        """Returns the text as Snakemake takes it, which waits for ever where it gets none."""
        if not re.fullmatch("all|[1-9][0-9]{0,5}", value):
            self.fail(f"{value!r}; accepted: a number from 1, or all", param, ctx)
        return str(value)


class SettingType(click.ParamType[Any]):
    """`KEY=VALUE`, the value read as YAML."""

    name = "key=value"

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[str, Any]:
        """Returns key and value."""
        key, equals, text = value.partition("=")
        if not equals or not key:
            self.fail(f"{value!r} does not have the form KEY=VALUE, such as alpha=4", param, ctx)
        return key, parse(text, f"{_option_of(param)} {key}").content


def _option_of(param: click.Parameter | None) -> str:
    """Returns an option as a person writes it."""
    return param.opts[0] if param is not None else "argument"


def together(*options: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Returns one decorator that adds all of the options, in this order."""

    def add(function: Any) -> Any:
        for option in reversed(options):
            function = option(function)
        return function

    return add


def beside(out: Path) -> Path:
    """Returns where the record of an output lies unless `--record` names another place."""
    return out.with_suffix(".record.json")


record_option = click.option(
    "--record", type=FILE, help="Record (JSON); it lies beside the output unless named."
)
required_record_option = click.option("--record", type=FILE, required=True, help="Record (JSON).")
stem_option = click.option("--out", type=FILE, required=True, help="File name without its ending.")


def _axes(value: Any) -> dict[str, int]:
    from lotus.config.mistakes import check
    from lotus.config.seeds import Axes

    return check(Axes, value, "--seeds-apart").given()


labels_option = click.option(
    "--labels",
    type=YamlType(),
    default="{}",
    help="Names of data set, scenario, row and so on, for the record: '{row: gold}'.",
)
seed_option = click.option("--seed", type=SEED, required=True, help="Seed of every random choice.")
apart_option = click.option(
    "--seeds-apart",
    type=YamlType(),
    default="{}",
    callback=lambda _, __, value: _axes(value),
    help="Kinds of randomness with seeds of their own: '{split: 1, batches: 1, noise: 2}'.",
)
store_option = click.option("--store", type=EXISTING_FOLDER, required=True, help="Image store.")
forget_set_option = click.option(
    "--forget-set",
    type=EXISTING_FILE,
    required=True,
    help="Forget and retain indices, as `lotus choose-forget-set` writes them.",
)
protocol_option = click.option(
    "--protocol",
    type=ProtocolType(),
    default="corrected",
    show_default=True,
    help="corrected, released, corrected+m1, released-e1, … (see `lotus protocols`).",
)
runtime_option = click.option(
    "--runtime",
    type=RuntimeType(),
    default=runtime.DEFAULT,
    show_default=True,
    envvar="LOTUS_RUNTIME",
    help="How models compute, as 'precision=bf16 compile=on': precision (fp32, tf32, bf16), channels_last, "
    "compile, cuda_graphs, deterministic (on, off); docs/runtime.md.",
)
device_options = together(
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
        help="Processor threads; the last bits of sums depend on their number.",
    ),
    runtime_option,
)
plugin_option = click.option(
    "--plugin",
    "plugins",
    multiple=True,
    help="Python file or module that registers methods of your own; repeatable.",
)
workers_option = click.option(
    "--workers",
    type=click.IntRange(1),
    default=os.cpu_count() or 1,
    show_default="number of cores",
    help="Processes that hash images.",
)
sign_option = click.option(
    "--sign", "key", type=FILE, metavar="KEY", help="Sign with this SSH key (ssh-keygen)."
)
signers_option = click.option(
    "--signers",
    type=EXISTING_FILE,
    help="Who may sign, as OpenSSH's allowed_signers; then each FILE has to be signed by one of them.",
)
configfile_option = click.option(
    "--configfile",
    "configfiles",
    type=EXISTING_FILE,
    multiple=True,
    help="Configuration to hold the results against; unless given, the one that they were made by. "
    "Repeatable.",
)
experiment_option = click.option(
    "--experiment",
    type=EXISTING_FILE,
    required=True,
    help="Description of the experiment, as `lotus describe` writes it.",
)
published_option = click.option(
    "--published",
    type=EXISTING_FOLDER,
    default="report/published",
    show_default=True,
    help="Folder of the paper's own numbers.",
)
