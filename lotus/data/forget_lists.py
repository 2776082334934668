"""Which training images are forgotten one by one: those in a list, of a column's value, of a pattern."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import translate
from functools import cache
from pathlib import Path, PurePosixPath
from posixpath import normpath

import numpy as np

from lotus.config.scenarios import Scenario
from lotus.data.image_names import ImageNames
from lotus.errors import LotusError, choices
from lotus.formats.csv_text import read_csv
from lotus.formats.json_text import read_file
from lotus.formats.utf8 import NotUtf8Error, decode
from lotus.names import composed, shown
from lotus.records.files import relative
from lotus.wording import all_of, counted, first_of

NAME, ID = "name", "id"
SAID = 3
"""Names that an error gives of many."""
ANY_FOLDERS = "**"
COMPARED = 5_000
"""Names among which one is looked for that is nearly the one in a list."""
NUMBER = re.compile("[0-9]{1,18}")
"""The id of an image, as a list has it."""
NAMELESS = (
    "{}: the images of this data set have only ids, no names and columns; accepted: forget_list"
)


@dataclass(frozen=True)
class Entry:
    """One image that a list asks for: its name or id as written, and the line."""

    text: str
    line: int

    def __str__(self) -> str:
        return f"'{shown(self.text)}' (line {self.line})"


def forget_listed(
    scenario: Scenario, names: ImageNames | None, parts: Mapping[str, Sequence[int]]
) -> tuple[str, np.ndarray]:
    """The rule in words, and the training images that a scenario names one by one.

    - `forget_list`: those whose names or ids stand in a file.
    - `forget_where`: those with given values in columns of the user's own list.
    - `forget_glob`: those whose names fit one of several patterns.

    Args:
        names: of all images; None where they have only ids.
        parts: part → first index and the one behind the last.

    Returns:
        The rule, and indices into the store (int64), ascending; at least one.

    Raises:
        LotusError: a list cannot be read or has no entry; names, columns, values or patterns fit no
            training image, or several where one is meant, or stand twice.

    """
    train = range(*parts["train"])
    if scenario.forget_list is not None:
        return _in_list(Path(scenario.forget_list), names, parts)
    if names is None:
        raise LotusError(NAMELESS.format(scenario.kind))
    if scenario.forget_where is not None:
        return _of_columns(scenario.forget_where, names, train)
    return _of_patterns(scenario.forget_glob or (), names, train)


def check_listed(scenario: Scenario, has_names: bool) -> None:
    """Refuses what can be told before the images are at hand.

    Raises:
        LotusError: as `read_list`, or columns or names are asked for of images that have only ids.

    """
    if scenario.forget_list is not None:
        read_list(Path(scenario.forget_list), has_names)
    elif not has_names:
        raise LotusError(NAMELESS.format(scenario.kind))


def without_retain_images(
    classes: Sequence[str], by_class: Sequence[np.ndarray], chosen: np.ndarray
) -> str:
    """Says at the end of a rule which classes keep no training image; '' if each keeps one.

    Args:
        by_class: training images of each class, indices into the store.
        chosen: those to forget.

    """
    emptied = [
        name
        for name, ids in zip(classes, by_class, strict=True)
        if len(ids) and np.isin(ids, chosen).all()
    ]
    which = "class" if len(emptied) == 1 else "classes"
    return f"; all there is of the {which} {all_of(emptied)}" if emptied else ""


def read_list(path: Path, has_names: bool) -> tuple[str, list[Entry]]:
    """Whether a file lists names or ids, and its entries in order.

    Args:
        has_names: whether the images have names; of a CSV file with both columns the names are taken then,
            else the ids. A text file whose lines are all whole numbers lists ids.

    Raises:
        LotusError: absent, not a CSV or text file in UTF-8, without a column of names or ids, without an
            entry, or of names where the images have none.

    """
    if path.suffix.lower() == ".csv":
        kind, entries = _read_csv(path, has_names)
    else:
        entries = _read_text(path)
        kind = ID if all(NUMBER.fullmatch(entry.text) for entry in entries) else NAME
    if not entries:
        raise LotusError(f"{shown(path)}: lists no image; it needs one {NAME} or {ID} at least")
    if kind == NAME and not has_names:
        raise LotusError(
            f"{shown(path)}: lists names, but the images of this data set have only ids; accepted: ids, "
            "which are places in the data set, from 0"
        )
    return kind, entries


def _read_csv(path: Path, has_names: bool) -> tuple[str, list[Entry]]:
    table = read_csv(path, ())
    header = [name.strip().lower() for name in table.header]
    wanted = (NAME, ID) if has_names else (ID, NAME)
    kind = next((kind for kind in wanted if kind in header), None)
    if kind is None:
        raise LotusError(
            f"{shown(path)}: has no column {NAME} or {ID}; it has "
            f"{first_of(table.header, SAID)}; columns are separated by commas"
        )
    column = header.index(kind)
    entries = [
        Entry(row[column].strip(), line) for row, line in zip(table.rows, table.lines, strict=True)
    ]
    empty = [entry.line for entry in entries if not entry.text]
    if empty:
        raise LotusError(f"{shown(path)}: line {empty[0]}: {kind} is empty")
    return kind, entries


def _read_text(path: Path) -> list[Entry]:
    try:
        text = decode(read_file(path))
    except OSError as error:
        raise LotusError(f"{shown(path)}: cannot be read: {error.strerror or error}") from error
    except NotUtf8Error as error:
        place = "" if error.line is None else f" line {error.line}:"
        raise LotusError(f"{shown(path)}:{place} is not text in UTF-8; save it as UTF-8") from error
    lines = [line.strip() for line in re.split(r"\r\n|\r|\n", text)]
    return [
        Entry(_unquoted(line), number)
        for number, line in enumerate(lines, 1)
        if line and not line.startswith("#")
    ]


def _unquoted(text: str) -> str:
    is_quoted = len(text) > 1 and text[0] == text[-1] == '"'
    return text[1:-1].replace('""', '"') if is_quoted else text


def _in_list(
    path: Path, names: ImageNames | None, parts: Mapping[str, Sequence[int]]
) -> tuple[str, np.ndarray]:
    kind, entries = read_list(path, names is not None)
    asked = _Asked.by_name(names) if names is not None else None
    # Files can be called by numbers.
    are_names = kind == NAME or (
        asked is not None and path.suffix.lower() != ".csv" and asked.find(entries[0].text)
    )
    if asked is None or not are_names:
        kind, asked = ID, _Asked.by_id(max(end for _, end in parts.values()))
    found = [asked.find(entry.text) for entry in entries]
    train = range(*parts["train"])
    if problems := [*_problems(entries, found, asked, train)]:
        raise LotusError(f"{shown(path)}: {'; '.join(problems)}")
    images = [at for ats in found for at in ats if at in train]
    chosen = np.unique(np.array(images, np.int64))
    how = "named in" if asked.kind == NAME else f"given by {ID} in"
    return f"{counted(len(chosen), 'image')} {how} {shown(relative(path))}", chosen


@dataclass(frozen=True)
class _Asked:
    """How images are asked for.

    Attributes:
        kind: by `NAME` or by `ID`.
        find: the images that are meant by a text, by their places.
        near: what may be meant by a text that means none, and what is accepted.
        names: of all images; () where they are asked for by id.

    """

    kind: str
    find: Callable[[str], Sequence[int]]
    near: Callable[[str], str]
    names: Sequence[str] = ()

    @classmethod
    def by_name(cls, names: ImageNames) -> "_Asked":
        """By name, or by as much of its end as no other image has."""
        return cls(
            NAME, image_finder(names.names), lambda text: _near(text, names.names), names.names
        )

    @classmethod
    def by_id(cls, count: int) -> "_Asked":
        """By place, from 0."""

        def find(text: str) -> Sequence[int]:
            return [int(text)] if NUMBER.fullmatch(text) and int(text) < count else []

        return cls(ID, find, lambda _: f"accepted: whole numbers from 0 to {count - 1}")


def _problems(
    entries: Sequence[Entry], found: Sequence[Sequence[int]], asked: _Asked, train: range
) -> Iterator[str]:
    """Yields what is wrong with entries, in words; `found` are the images that each means."""
    unknown, several, held_out, twice = [], [], [], []
    owners: dict[int, Entry] = {}
    for entry, images in zip(entries, found, strict=True):
        trained = [at for at in images if at in train]
        if not images:
            unknown.append(entry)
        elif asked.names and len({asked.names[at] for at in images}) > 1:
            fitting = first_of([asked.names[at] for at in images], SAID)
            several.append(f"{entry} fits {fitting}")
        elif not trained:
            held_out.append(str(entry))
        elif trained[0] in owners:
            first = owners[trained[0]].line
            twice.append(f"'{shown(entry.text)}' (lines {first} and {entry.line})")
        else:
            owners[trained[0]] = entry

    def said(group: Sequence[object], what: str) -> str:
        listed = first_of([str(one) for one in group], SAID)
        are = "is" if len(group) == 1 else "are"
        return f"{counted(len(group), asked.kind)} {are} {what}: {listed}"

    if unknown:
        what = f"of no image, of {len(entries)} in the list"
        yield f"{said(unknown, what)}; {asked.near(unknown[0].text)}"
    if several:
        yield said(several, "of several images; give more of the path")
    if held_out:
        yield said(held_out, "of held-out images, and only training images can be forgotten")
    if twice:
        yield said(twice, "of images that stand there twice")


def image_finder(names: Sequence[str]) -> Callable[[str], Sequence[int]]:
    """Returns what finds images by their name, or by the end of it, in either form of Unicode.

    All images of one name are found: rows of a list in which one image stands. Backslashes count as
    slashes where the name is of no image otherwise.
    """
    by_name: dict[str, list[int]] = {}
    by_file: dict[str, list[int]] = {}
    for at, name in enumerate(names):
        form = composed(name)
        by_name.setdefault(form, []).append(at)
        by_file.setdefault(PurePosixPath(form).name, []).append(at)

    def find(text: str) -> Sequence[int]:
        for written in dict.fromkeys((text, text.replace("\\", "/"))):
            name = normpath(written)
            form = composed(name)
            inside = by_file.get(PurePosixPath(form).name, ())
            found = by_name.get(form) or [
                at for at in inside if composed(names[at]).endswith(f"/{form}")
            ]
            if found:
                # Of two files whose names differ in nothing but their form, the one as it is written.
                return [at for at in found if f"/{names[at]}".endswith(f"/{name}")] or found
        return ()

    return find


def _near(text: str, names: Sequence[str]) -> str:
    """Returns which name may be meant, with as many folders as are given."""
    depth = len(PurePosixPath(text).parts)
    ends = ("/".join(PurePosixPath(name).parts[-depth:]) for name in names[:COMPARED])
    close = get_close_matches(composed(text), dict.fromkeys(ends), n=1)
    hint = f"did you mean '{shown(close[0])}'? " if close else ""
    return f"{hint}accepted: names such as {shown(names[0])}"


def _of_columns(
    wanted: Mapping[str, Sequence[str]], names: ImageNames, train: range
) -> tuple[str, np.ndarray]:
    """The training images that have one of the values wanted in each of the columns."""
    if not names.columns:
        raise LotusError(
            "forget_where: the images have no columns; accepted: a CSV file of images with columns besides "
            "path, label and split"
        )
    chosen = [*train]
    said = []
    for column, accepted in wanted.items():
        if column not in names.columns:
            raise LotusError(
                f"forget_where: there is no column '{shown(column)}'; {choices(column, names.columns)}"
            )
        values = [composed(text).strip() for text in names.columns[column]]
        there = set(values[train.start : train.stop])
        for value in accepted:
            if value not in there:
                raise LotusError(
                    f"forget_where: no training image has {shown(column)} = {shown(value)}; "
                    f"{_values_of(value, sorted(there))}"
                )
        chosen = [at for at in chosen if values[at] in accepted]
        said.append(f"{shown(column)} = {' or '.join(map(shown, accepted))}")
    if not len(chosen):
        raise LotusError(f"forget_where: no training image has {all_of(said)}")
    rule = f"all {counted(len(chosen), 'training image')} with {all_of(said)}"
    return rule, np.array(chosen, np.int64)


def _values_of(value: str, there: Sequence[str]) -> str:
    close = get_close_matches(value, there, n=1)
    hint = f"did you mean '{shown(close[0])}'? " if close else ""
    return f"{hint}accepted: {first_of([text or 'nothing' for text in there], 10)}"


def _of_patterns(
    patterns: Sequence[str], names: ImageNames, train: range
) -> tuple[str, np.ndarray]:
    """The training images whose names fit one of the patterns."""
    chosen: set[int] = set()
    for pattern in patterns:
        fitting = [*_fitting(pattern, names)]
        found = [at for at in fitting if at in train]
        if not found:
            what = "only held-out images" if fitting else "no image"
            raise LotusError(
                f"forget_glob: '{shown(pattern)}' fits the name of {what}; names of training images are "
                f"such as {shown(names.names[train.start])}"
            )
        chosen |= {*found}
    whose = "name fits" if len(chosen) == 1 else "names fit"
    rule = f"{counted(len(chosen), 'training image')} whose {whose} {' or '.join(map(shown, patterns))}"
    return rule, np.array(sorted(chosen), np.int64)


def _fitting(pattern: str, names: ImageNames) -> Iterator[int]:
    """Yields the images whose name, or whose end of a name, fits a pattern."""
    wanted = PurePosixPath(composed(pattern)).parts
    for at, name in enumerate(names.names):
        if wanted and _fits(PurePosixPath(composed(name)).parts, (ANY_FOLDERS, *wanted)):
            yield at


def _fits(parts: tuple[str, ...], wanted: tuple[str, ...]) -> bool:
    """Whether the parts of a name fit those of a pattern."""
    if not wanted:
        return not parts
    first, rest = wanted[0], wanted[1:]
    if first != ANY_FOLDERS:
        return bool(parts and _regex(first).match(parts[0])) and _fits(parts[1:], rest)
    if rest[:1] == (ANY_FOLDERS,):
        return _fits(parts, rest)
    return any(_fits(parts[begin:], rest) for begin in range(len(parts) + 1))


@cache
def _regex(part: str) -> re.Pattern[str]:
    return re.compile(translate(part))
