"""Original models, loaded from the folders of their runs."""

from pathlib import Path

from torch import nn

from lotus import models
from lotus.config.architectures import ARCHITECTURE, Architecture
from lotus.config.images import Dataset
from lotus.data.store import Store
from lotus.engine.device import Device
from lotus.errors import LotusError
from lotus.names import shown
from lotus.records.reading import read_record
from lotus.runs.networks import build_network
from lotus.runs.run import MODEL, RECORD


def load_original(
    original: Path, store: Store, device: Device, network_file: str | None = None
) -> tuple[Architecture, Dataset, nn.Module]:
    """Loads an original model by its run's folder: architecture, how it is shown images, the model itself.

    Args:
        network_file: of a network that a file of the user's builds, that file. A record that names another
            one is refused: results may be a stranger's, and to build the network runs its code.

    Raises:
        LotusError: a file is absent or damaged, or the network's code is not the one that is named.

    """
    architecture, use = _settings_of(original)
    if architecture.model == "plugin" and architecture.file != network_file:
        named = f"is {shown(network_file)}" if network_file else "is missing"
        raise LotusError(
            f"{shown(original / RECORD)}: its network is built by {shown(architecture.file)}, whose code "
            f"is run only where --network names it, which {named}"
        )
    model = build_network(store, models.without_weights(architecture), use, 0, device)
    models.load_weights(original / MODEL, model)
    return architecture, use, model.eval()


def _settings_of(original: Path) -> tuple[Architecture, Dataset]:
    try:
        settings = read_record(original / RECORD).settings
        return ARCHITECTURE.validate_python(settings["architecture"]), Dataset(**settings["images"])
    except (ValueError, KeyError, TypeError) as error:
        raise LotusError(
            f"{shown(original / RECORD)}: is not the record of an original model; --original must be "
            "the folder of its run"
        ) from error
