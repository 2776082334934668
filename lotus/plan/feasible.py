"""Refuses what of a checked plan cannot be run, by numbers and sizes of images, before any job starts.

Exact where the images are at hand (a store, own folders, data of the repository). Of other published data
sets only the classes and the size of the training part are known: what these exclude is refused, the rest
is told when the images are read.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from lotus import layout
from lotus.config import protocol
from lotus.config.cells import Benchmark
from lotus.config.consistency import Problem
from lotus.config.mistakes import complain
from lotus.config.origins import Origin
from lotus.config.scenarios import Scenario
from lotus.data import sources
from lotus.data.batches import View
from lotus.data.changed import changed_since_built
from lotus.data.forget_lists import check_listed, forget_listed
from lotus.data.forget_rules import forgotten_of_each
from lotus.data.known import Counts, class_counts
from lotus.data.raw import at_hand
from lotus.data.splits import (
    NO_TRAINING,
    cannot_be_halved,
    class_label,
    empty_set,
)
from lotus.data.store import open_store
from lotus.errors import LotusError
from lotus.methods.base import configured, registry, single_images
from lotus.models.image_shapes import check_shape, smallest_map
from lotus.names import composed, shown
from lotus.plan.making import source_name
from lotus.plan.plan import Plan
from lotus.plugin_files import folders_of
from lotus.records.local_modules import find_module
from lotus.records.reading import find_record
from lotus.runs.folds import FOLDS, too_few_to_rank
from lotus.wording import counted, first_of

ENDS_IN_EVAL_MODE = frozenset(("lotus", "salun-lotus", "ssd"))
"""Methods of ours whose network is in eval mode at the end: E1 reads no single images in train mode."""


def refuse_nonsense(
    plan: Plan, origins: Sequence[Origin], cells: Sequence[Benchmark] | None = None
) -> None:
    """Refuses a plan with a part that cannot be run.

    Args:
        origins: for the messages only.
        cells: those that are asked for; None: all.

    Raises:
        LotusError: one line per mistake: file, line, key path, value, what is needed.

    """
    found = [
        complain(origins, *problem)
        for problem in _problems(plan, plan.cells if cells is None else cells)
    ]
    if found:
        raise LotusError("\n".join(dict.fromkeys(found)))


def _of_plugins(plugins: Sequence[str]) -> Iterator[Problem]:
    """Plug-ins that are not there; where they are only read, none of them has been missed yet."""
    folders = folders_of(plugins)
    for place, plugin in enumerate(plugins):
        is_file = plugin.endswith(".py")
        if is_file and not Path(plugin).is_file():
            yield ["plugins", place], plugin, f"there is no such file; looked in {Path.cwd()}"
        elif not is_file and find_module(plugin, None, folders) is None:
            yield ["plugins", place], plugin, "there is no such file or installed module"


def _problems(plan: Plan, cells: Sequence[Benchmark]) -> Iterator[Problem]:
    yield from _of_plugins(plan.settings.plugins)
    known: dict[str, Counts] = {}
    for dataset in dict.fromkeys(cell.dataset for cell in cells):
        try:
            counts = _known(plan, dataset)
        except LotusError as error:
            yield ["datasets", dataset], None, str(error)
            continue
        if counts is not None:
            known[dataset] = counts
            yield from _of_held_out(dataset, counts)
    for cell in dict.fromkeys(cell.outside_study.under("") for cell in cells):
        scenario = plan.settings.scenarios[cell.scenario]
        if cell.dataset not in known:
            yield from _by_published_size(plan, cell, scenario)
            continue
        sets = _Sets(plan, cell, scenario, known[cell.dataset])
        told = list(sets.problems())
        yield from told
        if not told:
            yield from _of_networks(plan, cell, sets)


def _known(plan: Plan, dataset: str) -> Counts | None:
    """Numbers of images, from the store only if it was built with the present options.

    Raises:
        LotusError: own images are not there, cannot be used, or changed since the store was built.

    """
    folder = layout.STORES / dataset
    record = find_record(layout.store_record(dataset))
    is_present = not record.problem and record.settings.get("options") == plan.store_of(dataset)
    options = plan.settings.datasets[dataset].store
    mirrors = plan.settings.data.mirror
    given = None if options.raw is None else at_hand(options.raw, mirrors)
    if options.raw is not None and not is_present and given is None:
        places = ", ".join(map(shown, [str(Path.cwd()), *mirrors]))
        raise LotusError(
            f"raw = {options.raw!r}: there is no such folder or file; looked in {places}"
        )
    if given is not None and is_present:
        _refuse_changed(dataset, folder, given)
    return class_counts(dataset, options, folder if is_present else folder / "-", mirrors)


def _refuse_changed(dataset: str, folder: Path, given: Path) -> None:
    """Refuses to go on with a store of images that are other ones by now.

    Raises:
        LotusError: names them, and both ways out.

    """
    try:
        store = open_store(folder)
    except LotusError:
        # Absent or damaged: it is built again.
        return
    changed = changed_since_built(store, given)
    if changed:
        # What Snakemake finds to be missing it makes only for a target that is missing too.
        raise LotusError(
            f"{first_of(changed, 3)} in {shown(given)} changed since {folder} was built: put back what was "
            f"there; or delete {folder} and run `snakemake` once with --forcerun {layout.raw_list(dataset)}"
            ", which makes the store and all that rests on it anew"
        )


def _of_held_out(dataset: str, counts: Counts) -> Iterator[Problem]:
    if not any(counts.train):
        yield ["datasets", dataset], None, NO_TRAINING
    elif not counts.has_val and (problem := cannot_be_halved(counts.classes, counts.test)):
        yield ["datasets", dataset], None, problem


@dataclass(frozen=True)
class _Sets:
    """The forget and the retain set of a cell, by their numbers."""

    plan: Plan
    cell: Benchmark
    scenario: Scenario
    counts: Counts

    def problems(self) -> Iterator[Problem]:
        """Yields why there are no such sets."""
        train, scenario = self.counts.train, self.scenario
        try:
            forgotten = self.forgotten
        except LotusError as error:
            yield self._problem(scenario.kind, self._value, str(error))
            return
        few = scenario.forget_per_class
        if few is not None and min(train) < few:
            name = self.counts.classes[train.index(min(train))]
            what = f"class {name} has {min(train)} training images, which is fewer than are to be forgotten"
            yield self._problem("forget_per_class", few, what)
        elif scenario.forget_first is not None and scenario.forget_first > sum(train):
            what = (
                f"there are {sum(train)} training images, which is fewer than are to be forgotten"
            )
            yield self._problem("forget_first", scenario.forget_first, what)
        elif scenario.is_ranked and (smallest := min(filter(None, train), default=FOLDS)) < FOLDS:
            what = too_few_to_rank(self.counts.classes[train.index(smallest)], smallest)
            yield self._problem("forget_rule", scenario.forget_rule, what)
        elif what := empty_set(forgotten, sum(train)):
            yield self._problem(scenario.kind, self._value, what)
        if scenario.forget_class is not None:
            yield from self._shared_name(scenario.forget_class)

    @cached_property
    def forgotten(self) -> int:
        """Images of the forget set.

        Raises:
            LotusError: there is no such class, or a list, columns or patterns do not fit the images.

        """
        train, scenario = self.counts.train, self.scenario
        if scenario.is_listed:
            return len(forget_listed(scenario, self.counts.names, self.counts.parts)[1])
        if scenario.forget_class is not None:
            return train[class_label(self.counts.classes, scenario.forget_class)]
        if scenario.forget_first is not None:
            return min(scenario.forget_first, sum(train))
        return sum(forgotten_of_each(scenario, train))

    def _shared_name(self, forgotten: str) -> Iterator[Problem]:
        """A name of the scenario that would do for another class as well."""
        if self.cell.scenario == self.scenario.own_name:
            return
        for name in self.counts.classes:
            other = Scenario(forget_class=name)
            if composed(name) != forgotten and other.canonical_name == self.cell.scenario:
                what = (
                    f"data set {self.cell.dataset}: this would also be the name for its "
                    f"class {name!r}; call the "
                    f"scenario '{self.scenario.own_name}'"
                )
                yield ["scenarios", self.cell.scenario], None, what

    @property
    def _value(self) -> object:
        """Returns what is given, if it is short enough to be repeated."""
        value = getattr(self.scenario, self.scenario.kind)
        return None if isinstance(value, dict | tuple) else value

    def _problem(self, key: str, value: object, what: str) -> Problem:
        place: list[str | int] = ["scenarios", self.cell.scenario, key]
        return place, value, f"data set {self.cell.dataset}: {what}"

    @property
    def images(self) -> dict[str, int]:
        """Images of the sets that networks are trained on."""
        total = sum(self.counts.train)
        val = sum(self.counts.val) if self.counts.val is not None else sum(self.counts.test) // 2
        return {"forget": self.forgotten, "retain": total - self.forgotten, "val": val}

    @property
    def is_of_a_class(self) -> bool:
        """Whether a whole class is forgotten."""
        return self.scenario.forgets_a_class


def _by_published_size(plan: Plan, cell: Benchmark, scenario: Scenario) -> Iterator[Problem]:
    """Yields what the number of training images and classes excludes, wherever the images lie."""
    described = sources.source(source_name(plan.settings, cell.dataset))
    place: list[str | int] = ["scenarios", cell.scenario, scenario.kind]
    if scenario.is_listed:
        try:
            check_listed(scenario, described.has_names)
        except LotusError as error:
            yield place, scenario.forget_list, f"data set {cell.dataset}: {error}"
        return
    total, classes = described.sizes.get("train"), described.classes
    store = plan.settings.datasets[cell.dataset].store
    if total is None or classes is None or store.content is not None:
        return
    # Some class has no more than its share, and with a limit each has no more than that.
    fewest, most = total // len(classes), total
    if store.limit is not None:
        fewest, most = min(fewest, store.limit), min(total, store.limit * len(classes))
    largest = most if store.limit is None else store.limit
    per_class, first, share = (
        scenario.forget_per_class,
        scenario.forget_first,
        scenario.forget_fraction,
    )
    what = ""
    if per_class is not None and per_class > fewest:
        what = f"some class has at most {fewest} training images"
    elif first is not None and first >= most:
        what = f"leaves no retain image: there are at most {most}"
    elif share is not None and share * largest < 1:
        what = f"leaves no forget image: a class has at most {largest}"
    if what:
        yield place, getattr(scenario, scenario.kind), f"data set {cell.dataset}: {what}"


def _of_networks(plan: Plan, cell: Benchmark, sets: _Sets) -> Iterator[Problem]:
    """Yields what networks cannot be shown or trained on."""
    try:
        shape = _seen(plan, cell, sets.counts)
        check_shape(plan.settings.architectures[cell.architecture], shape)
    except LotusError as error:
        yield ["architectures", cell.architecture], None, f"data set {cell.dataset}: {error}"
        return
    architecture = plan.settings.architectures[cell.architecture]
    if smallest_map(architecture, shape) != (1, 1):
        return
    why = (
        f"data set {cell.dataset}, {cell.scenario}: {{}}, which BatchNorm cannot normalise: the last maps "
        f"are 1×1 at {shape[1]}×{shape[2]} pixels; {{}}"
    )
    more = "take at least 2 images, another batch_size, larger images (`resize`) or max_pool: false"
    training = plan.architecture(cell.dataset, cell.architecture)["training"]
    trained = {"the original": sum(sets.counts.train), "gold": sets.images["retain"]}
    for name, count in trained.items():
        if training["epochs"] and single_images.has_single(count, training["batch_size"], False):
            what = f"{name} would be trained on a batch of a single image"
            place: list[str | int] = ["architectures", cell.architecture, "training", "batch_size"]
            yield place, training["batch_size"], why.format(what, more)
    here = [it for it in plan.cells if it.outside_study.under("") == cell]
    for place, what, instead in _of_methods(plan, here, sets):
        yield place, None, why.format(what, instead or more)


def _seen(plan: Plan, cell: Benchmark, counts: Counts) -> tuple[int, int, int]:
    """(C, H, W) of the images as networks see them.

    Raises:
        LotusError: the crop is larger than the images.

    """
    use = plan.use_of(cell.dataset, cell.architecture)
    channels, height, width = counts.size
    return (channels, *View(use["resize"], use["crop"]).shape(height, width))


def _of_methods(
    plan: Plan, cells: Sequence[Benchmark], sets: _Sets
) -> Iterator[tuple[list[str | int], str, str]]:
    """Rows that would be trained or evaluated on single images: place, what, and what to do instead."""
    told: set[str] = set()
    for cell in cells:
        switches = protocol.parse(cell.protocol)
        for row in plan.rows_of(cell):
            name = plan.method_of(row)
            if not plan.methods.is_imported(name):
                continue
            counts = dict(sets.images)
            if plan.calibration_of(row) is not None:
                del counts["val"]
            method = configured.make(name, plan.hyperparameters(plan.home(cell, row), row))
            alone = single_images.lone_image(name, method, counts, switches, sets.is_of_a_class)
            place: list[str | int] = ["methods", row]
            if alone is not None and row not in told:
                told.add(row)
                images = counted(counts[alone], "image")
                what = (
                    f"{name} would train on a batch of a single image of the {alone} set ({images})"
                )
                yield place, what, ""
            elif (
                switches.has("E1")
                and is_left_in_train_mode(name, switches, sets.is_of_a_class)
                and "E1" not in told
            ):
                told.add("E1")
                what = f"switch E1 evaluates {name} on single images in train mode"
                yield place, what, "use a protocol without E1 (released-e1), or larger images"


def is_left_in_train_mode(name: str, switches: protocol.Protocol, is_of_a_class: bool) -> bool:
    """Whether a method of ours returns its network in train mode; of others it is told when they run."""
    if name == "unsir" and not (is_of_a_class or switches.has("M4")):
        return False
    return name not in ENDS_IN_EVAL_MODE and registry.is_own(name)
