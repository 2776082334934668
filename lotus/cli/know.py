"""Commands that say what there is: methods, protocols, data sets, what a configuration means."""

import json
from collections.abc import Iterator
from pathlib import Path

import click

from lotus.cli.examples import examples
from lotus.cli.output import print_lines
from lotus.cli.parameters import EXISTING_FILE, plugin_option

ANYWHERE = "anywhere in the project, without a run"


@click.command(epilog=examples("lotus methods", when=ANYWHERE))
@plugin_option
def methods(plugins: tuple[str, ...]) -> None:
    """List the unlearning methods and their parameters.

    Of each: its idea, its hyper-parameters with their defaults, what it reads, and its source.
    """
    from lotus.methods.base import registry
    from lotus.methods.base.plugins import load_plugins

    load_plugins(plugins)
    for name in registry.available():
        print_lines(_method_lines(name))


def _method_lines(name: str) -> Iterator[str]:
    """Yields what there is to say of a method."""
    from dataclasses import MISSING, fields

    from lotus.config.register import REGISTER
    from lotus.methods.base import described, registry

    said, entry = described.describe(name), registry.entry_of(name)
    yield f"{name}\n  {said.idea}"
    every = fields(entry.cls)  # type: ignore[arg-type]
    values = (f.name if f.default is MISSING else f"{f.name}={f.default}" for f in every)
    parts = {"defaults": "  ".join(values)}
    for switch, constants in entry.released.items():
        brought = "  ".join(f"{key}={value}" for key, value in constants.items())
        parts[switch] = REGISTER[switch].released + (f": {brought}" if brought else "")
    parts |= {"reads": said.reads, "source": said.source, "not for": said.not_for}
    yield from (f"  {key}: {text}" for key, text in parts.items() if text)


@click.command(epilog=examples("lotus protocols", when=ANYWHERE))
def protocols() -> None:
    """List the switches between the protocols.

    A switch turns on one behaviour of the released code that the corrected protocol does not have; its line
    says where that code has it, and what it does.
    """
    from lotus.config.protocol import SWITCHES
    from lotus.config.register import REGISTER

    for name, switch in REGISTER.items():
        print_lines([f"{name}  {switch.where} ({SWITCHES[name]}): {switch.released}"])


@click.command(epilog=examples("lotus datasets", when=ANYWHERE))
def datasets() -> None:
    """List the data sets with their sources and classes."""
    from lotus.data import sources

    for name in sources.available():
        print_lines(_dataset_lines(name))


def _dataset_lines(name: str) -> Iterator[str]:
    """Yields what there is to say of a data set."""
    from lotus.data import sources

    described = sources.source(name)
    yield f"{name}\n  {described.title}; {described.version}"
    yield f"  licence: {described.licence}\n  {described.homepage}"
    if described.obtain:
        yield f"  how to obtain: {described.obtain}"
    for file in described.files:
        where = file.origin or file.url or "to be fetched by hand"
        yield f"  {file.name}  md5 {file.md5 or 'not published'}  {where}"
    if described.classes is not None:
        first = described.classes[:12]
        more = f", … ({len(described.classes)} in all)" if first != described.classes else ""
        yield f"  classes: {', '.join(first)}{more}"


@click.command(epilog=examples("lotus check-config config/digits.yaml", when=ANYWHERE))
@click.argument("config", type=EXISTING_FILE)
@click.option(
    "--import-plugins",
    is_flag=True,
    help="Run the code of its plug-ins, to check the values of their hyper-parameters as well.",
)
def check_config(config: Path, import_plugins: bool) -> None:
    """Check a configuration file; say what it would run.

    CONFIG is a file like config/digits.yaml. A mistake in it is named with its line, its key and what is
    accepted. Plug-ins that it names are read and not run, so the file may be a stranger's.
    """
    from lotus.plan.declared import declared
    from lotus.plan.description import summary
    from lotus.plan.feasible import refuse_nonsense

    found = declared([config], {}, import_plugins)
    plan = found.plan
    refuse_nonsense(plan, found.origins)
    print_lines(summary(plan).splitlines())
    if plan.settings.plugins and not import_plugins:
        print_lines(
            ["  plug-ins were read, not run: the values of their hyper-parameters were not checked"]
        )


@click.command(epilog=examples("lotus schema > my-schema.json", when=ANYWHERE))
def schema() -> None:
    """Print the JSON schema of configuration files.

    It is also in config/schema.json, where editors find it.
    """
    from lotus.plan.schema import json_schema

    print_lines([json.dumps(json_schema(), indent=2)])
