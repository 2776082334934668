"""The experiment that is declared: configuration files, and settings given besides."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from snakemake.utils import update_config

from lotus import layout
from lotus.config.origins import DEFAULT_CONFIG, Origin, with_bases
from lotus.errors import LotusError
from lotus.formats.json_text import parse_json, read_file
from lotus.plan.making import make_plan
from lotus.plan.plan import Plan
from lotus.records.files import relative
from lotus.records.places import followed, leads_out
from lotus.records.reading import find_record


@dataclass(frozen=True)
class Declared:
    """A checked configuration, and where it comes from.

    Attributes:
        origins: for messages on what is wrong with it.
        files: that it was read from; none where these are not at hand.
        given: settings besides, as `--config` of Snakemake has them.
        why: names this configuration and the reason why it is the present one; '' where nobody asks.

    """

    plan: Plan
    origins: Sequence[Origin]
    files: tuple[Path, ...] = ()
    given: Mapping[str, Any] = field(default_factory=dict)
    why: str = ""

    @property
    def source(self) -> dict[str, Any]:
        """Where the settings come from, for the record of the experiment's description."""
        return {"files": [relative(path) for path in self.files], "given": dict(self.given)}

    def options(self) -> list[str]:
        """Returns the options by which Snakemake reads this configuration.

        Raises:
            LotusError: the files are not at hand.

        """
        if not self.files:
            raise LotusError(
                "the configuration files by which the results were made are not here; name them "
                "(--configfile)"
            )
        given = [f"{key}={json.dumps(value)}" for key, value in self.given.items()]
        return ["--configfile", *map(str, self.files), *(["--config", *given] if given else [])]


def declared(
    files: Sequence[Path], given: Mapping[str, Any], import_plugins: bool = True
) -> Declared:
    """The configuration of some files, the later over the earlier, and over them what is given.

    Args:
        files: the default configuration where there are none; what they are based on is read before them.
        given: as `--config` of Snakemake.
        import_plugins: see `make_plan`.

    Raises:
        LotusError: a file is absent or not accepted.

    """
    read = with_bases(tuple(files) or (DEFAULT_CONFIG,))
    origins = [*read.values(), Origin("--config", given)]
    content: dict[str, Any] = {}
    for origin in origins:
        update_config(content, origin.content)
    return Declared(make_plan(content, origins, import_plugins), origins, tuple(read), given)


def present(configfiles: Sequence[Path]) -> Declared:
    """The configuration of some files; without any, what the results were made by.

    The files that the experiment's record names are read again, so a change of theirs shows. Where they
    are not at hand, the settings are those that the experiment was described with. Plug-ins are
    read, not imported: whoever looks at results need not trust whoever made them.

    Raises:
        LotusError: this is no project, or a file is absent or not accepted.

    """
    if not Path("Snakefile").is_file():
        raise LotusError(
            f"{Path.cwd()}: is not a project, since it has no Snakefile; run the command "
            "where the Snakefile is"
        )
    if configfiles:
        return _because(declared(configfiles, {}, import_plugins=False), "given by --configfile")
    record = find_record(layout.EXPERIMENT_RECORD)
    if not record.problem:
        files = [Path(name) for name in record.settings["files"]]
        # A record can name any file of this machine, and a mistake in a file is quoted.
        outside = [str(path) for path in files if leads_out(path)]
        absent = [str(path) for path in files if not outside and not path.is_file()]
        if not outside and not absent:
            made_by = declared(files, record.settings["given"], import_plugins=False)
            return _because(made_by, "by which the results were made")
        named = " and ".join(outside or absent)
        why = "cannot be found here" if absent else leads_out(outside[0])
        reason = f"{named}, by which the results were made, {why}"
    elif Path(record.path).exists():
        reason = f"{record.path}, which names its files, is damaged ({record.problem})"
    else:
        reason = "there is no record of an experiment here"
    try:
        followed(str(layout.EXPERIMENT), "this project")
        settings = parse_json(read_file(layout.EXPERIMENT))["settings"]
        origins = [Origin(str(layout.EXPERIMENT), settings)]
        plan = make_plan(settings, origins, import_plugins=False)
        return Declared(plan, origins, why=f"the settings in {layout.EXPERIMENT}: {reason}")
    except (OSError, ValueError, KeyError, TypeError, RecursionError, LotusError):
        # Absent or damaged; the audit says so, by the default configuration.
        more = f", and {layout.EXPERIMENT} is damaged" if layout.EXPERIMENT.exists() else ""
        by_default = declared([], {}, import_plugins=False)
        return _because(by_default, f"the default configuration: {reason}{more}")


def _because(found: Declared, reason: str) -> Declared:
    """Returns the configuration with its files, its settings besides, and the reason, in words."""
    named = " and ".join(map(str, found.files))
    if found.given:
        named += f" with --config {json.dumps(found.given)}"
    return replace(found, why=f"{named}, {reason}")
