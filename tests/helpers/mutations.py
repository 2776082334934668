"""Valid documents with something wrong: values, texts and bytes, changed by chance.

All are pure functions of a `random.Random`, which hypothesis gives (`CHANCE`): so each can be made again.
"""

import contextlib
import copy
import json
import math
import warnings
from datetime import UTC, date, datetime

import numpy as np
import yaml
from hypothesis import strategies as st

CHANCE = st.randoms(use_true_random=False)
DEEP = 100
"""Levels; PyYAML writes no much deeper ones."""


def nested(depth, inner, *, mapping):
    """A value below so many lists or mappings."""
    for _ in range(depth):
        inner = {"a": inner} if mapping else [inner]
    return inner


TEXTS = (
    *("", " ", "x", ".", "..", "/", "~", "~root", "/dev/zero", "../../etc/passwd", "results"),
    *("on", "no", "yes", "null", "true", "NaN", ".inf", "1e400", "010", "1:30", "0x10", "-0"),
    *("2026-13-45", "2026-01-01", "a" * 300, "a" * 5000, "\x1b[2J", "\0", "a\nb", "a\tb", "\u2028"),
    *("é", "e\u0301", "猫" * 100, "\u202egnp", "\ud800", "\U0001f431", "\ufeff", "{x}", "{{x}}"),
    *("%s", "$HOME", "`id`", "'; --", '"', "a,b", "a:b", "=1+1", "<b>", "*", "**", "[", "(", "\\"),
    *("corrected+e1", "released-e1", "corrected+", "corrected+e1+e1", "lotus", "gold", "original"),
)
NUMBERS = (
    *(0, -1, 1, 2, 3407, 2**31, 2**63, 2**64, 10**30, 10**400, -(10**30)),
    *(0.0, -0.0, 0.5, 1.0, -1.5, 1e-320, 1e300, 1e22, math.inf, -math.inf, math.nan),
)
OTHERS = (
    *(None, True, False, [], {}, [None], [[]], [[[]]], {"": {}}, {"a": {"b": [1, {"c": None}]}}),
    *([1, 1], [0, "x", None], ["x"] * 50, {"x": 1}, [{}], [""]),
)
OF_YAML = (
    *(date(2026, 1, 1), datetime(2026, 1, 1, tzinfo=UTC), b"bytes", {1: 2}, {None: 1}, {True: 1}),
    *({1.5: 1}, {date(2026, 1, 1): 1}, {"x"}, {math.nan: 1}),
)
"""Values that YAML has and JSON has not."""


def a_value(chance, more=()):
    """A value that a document may not expect."""
    kind = chance.choice(("text", "number", "other", "more", "deep"))
    if kind == "deep" and chance.random() < 0.2:
        return nested(chance.choice((5, 59, 61, DEEP)), 1, mapping=chance.random() < 0.5)
    pools = {"text": TEXTS, "number": NUMBERS, "more": more or OTHERS}
    return copy.deepcopy(chance.choice(pools.get(kind, OTHERS)))


def places(value, above=()):
    """Ways to all values of a tree, from the top."""
    yield above
    if isinstance(value, dict | list):
        for key, part in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(part, (*above, key))


def at(tree, way):
    for key in way:
        tree = tree[key]
    return tree


def mutated(tree, chance, more=(), edits=3):
    """A copy of a tree of JSON or YAML in which one to `edits` things are changed."""
    tree = copy.deepcopy(tree)
    for _ in range(chance.randint(1, edits)):
        ways = list(places(tree))
        way = ways[chance.randrange(len(ways))]
        if not way:
            # The whole document is another value: once in a while is enough.
            if chance.random() < 0.1:
                return a_value(chance, more)
            continue
        _change(tree, way, ways, chance, more)
    return tree


def _change(tree, way, ways, chance, more):
    parent, key = at(tree, way[:-1]), way[-1]
    value = parent[key]
    kind = chance.choice(
        ("drop", "replace", "replace", "nest", "retype", "repeat", "rename", "swap", "add")
    )
    if kind == "drop":
        del parent[key]
    elif kind == "replace":
        parent[key] = a_value(chance, more)
    elif kind == "nest":
        parent[key] = chance.choice(([value], {"a": value}, [value, value], {str(key): value}))
    elif kind == "retype":
        parent[key] = _retyped(value, chance)
    elif kind == "repeat" and isinstance(value, list):
        parent[key] = value * chance.choice((0, 2, 30))
    elif kind == "swap":
        parent[key] = copy.deepcopy(at(tree, ways[chance.randrange(len(ways))]))
    elif isinstance(parent, dict):
        other = chance.choice((*TEXTS, f"{key}x", str(key)[:-1], str(key).upper()))
        parent[other] = parent.pop(key) if kind == "rename" else a_value(chance, more)
    else:
        parent.insert(chance.randint(0, len(parent)), a_value(chance, more))


def _retyped(value, chance):
    if isinstance(value, dict):
        return chance.choice((list(value), list(value.items()), list(value.values()), str(value)))
    if isinstance(value, list):
        return chance.choice(
            ({str(n): part for n, part in enumerate(value)}, str(value), len(value))
        )
    if isinstance(value, str):
        return chance.choice((list(value[:50]), len(value), {value: value}, value + "\n", [value]))
    if isinstance(value, int | float):
        return chance.choice((str(value), [value], float(value), -value, not value))
    return chance.choice((str(value), [value], not value))


def as_json(tree, chance):
    """Bytes of JSON, as some program may write it; what only YAML has becomes text."""
    texts = {"ensure_ascii": chance.random() < 0.5, "indent": chance.choice((None, 1))}
    return json.dumps(with_text_keys(tree), default=str, **texts).encode("utf-8", "surrogatepass")


def with_text_keys(tree):
    if isinstance(tree, dict):
        return {str(key): with_text_keys(part) for key, part in tree.items()}
    return [with_text_keys(part) for part in tree] if isinstance(tree, list) else tree


def as_yaml(tree, chance):
    """Text of YAML, as some program may write it: in one of its styles, aliases for what stands twice."""
    return yaml.dump(
        tree,
        allow_unicode=chance.random() < 0.7,
        default_flow_style=chance.choice((None, True, False)),
        default_style=chance.choice((None, None, None, '"', "'", "|")),
        sort_keys=chance.random() < 0.3,
        explicit_start=chance.random() < 0.1,
        width=chance.choice((20, 80, 10_000)),
    )


PIECES = (
    *("", ": ", "- ", "\n", "\n\n", "\r", "\r\n", "{", "}", "[", "]", "'", '"', ",", "#", "|", ">-", "%"),
    *("*a", "&a ", "&a [*a]", "<<: *a\n", "<<: {a: 1}\n", "<<: 1\n", "? ", "!!int ", "!!str ", "!!set "),
    *("!!binary ", "!!python/object:os.system ", "!!timestamp ", "!!float ", "!!bool ", "!!null "),
    *("!!omap ", "!!pairs ", "!!merge ", "!!map ", "!!seq ", "! ", "!x ", "!<tag:x> ", "=", "~", "@", "`"),
    *("---\n", "...\n", "%YAML 9.9\n---\n", "\t", "\v", "\f", "\x85", "\u2028", "\ufeff", "\0", "\x1b"),
    *("010", "1:30", "1e400", "-0", ".nan", "-.inf", "0b2", "0o17", "1_0", "2026-02-30", "9" * 5000),
    *("é", "猫", "\u202e", "on", "off", "null", "NaN", "Infinity", '"\\ud800"', "\\", "\\x", "[" * 3000),
)  # fmt: skip
BYTES = (
    b"",
    b"\xff",
    b"\xfe\xff",
    b"\0",
    b"\x80",
    b"\xc3",
    b"\xed\xa0\x80",
    b"\n",
    b",",
    b'"',
    b"9",
)


def spliced(text, chance, edits=3):
    """A text with pieces put in, left out, doubled or exchanged."""
    for _ in range(chance.randint(1, edits)):
        start = chance.randint(0, len(text))
        length = chance.choice((0, 0, 1, 3, 12, 60))
        kind = chance.choice(("piece", "piece", "double", "line", "copy"))
        if kind == "piece":
            text = text[:start] + chance.choice(PIECES) + text[start + length :]
        elif kind == "double":
            text = text[: start + length] + text[start:]
        elif kind == "copy":
            other = chance.randint(0, len(text))
            text = text[:start] + text[other : other + length] + text[start:]
        else:
            lines = text.split("\n")
            line = chance.randrange(len(lines))
            lines[line : line + 1] = [[], [lines[line]] * 2, [" " + lines[line]]][
                chance.randrange(3)
            ]
            text = "\n".join(lines)
    return text


def encoded(text, chance):
    """Its bytes: mostly UTF-8, sometimes as another program would save it."""
    encoding = chance.choice(
        ("utf-8",) * 9 + ("utf-8-sig", "utf-16", "utf-16-le", "cp1252", "utf-32")
    )
    errors = "surrogatepass" if encoding.startswith("utf") else "replace"
    return text.encode(encoding, errors)


def damaged_bytes(content, chance, edits=4):
    """The bytes with some set, put in, left out, doubled or cut off."""
    content = bytearray(content)
    for _ in range(chance.randint(1, edits)):
        place = chance.randint(0, len(content))
        # Heads and ends are where formats say what follows.
        if chance.random() < 0.5:
            place = chance.choice((min(place, 300), max(len(content) - place % 600, 0)))
        kind = chance.choice(("set", "set", "bit", "put", "drop", "double", "cut"))
        if kind == "set":
            content[place : place + chance.randint(1, 8)] = chance.choice(BYTES)
        elif kind == "bit" and place < len(content):
            content[place] ^= 1 << chance.randrange(8)
        elif kind == "put":
            content[place:place] = chance.choice(BYTES) * chance.choice((1, 4))
        elif kind == "drop":
            del content[place : place + chance.randint(1, 9)]
        elif kind == "double":
            content[place:place] = content[place : place + 40]
        elif kind == "cut" and chance.random() < 0.3:
            del content[place:]
    return bytes(content)


def mutated_arrays(arrays, chance):
    """Named arrays with values, types, shapes and names changed."""
    arrays = {name: array.copy() for name, array in arrays.items()}
    for _ in range(chance.randint(1, 2)):
        if not arrays:
            break
        name = chance.choice(sorted(arrays))
        array = arrays[name]
        kind = chance.choice(
            ("value", "value", "type", "shape", "drop", "name", "swap", "cut", "add")
        )
        if kind == "value" and array.size and array.dtype.kind in "fiu":
            odd = chance.choice((np.nan, np.inf, -1, 1e30, 2**40, -0.0))
            with np.errstate(all="ignore"):
                array.flat[chance.randrange(array.size)] = np.array(odd).astype(array.dtype)
        elif kind == "type":
            other = chance.choice(OTHER_TYPES)
            with warnings.catch_warnings(), contextlib.suppress(ValueError, TypeError):
                warnings.simplefilter("ignore")
                arrays[name] = array.astype(other)
        elif kind == "shape":
            shapes = (array[None], array.reshape(-1), array[..., None])
            arrays[name] = chance.choice(shapes + ((array[..., :0],) if array.ndim else ()))
        elif kind == "cut":
            arrays[name] = array[: chance.randint(0, len(array))] if array.ndim else array[None]
        elif kind == "drop":
            del arrays[name]
        elif kind == "name":
            arrays[chance.choice((f"{name}x", "x", "a.b.c", ".", "猫", "../x", name.upper()))] = (
                array
            )
            del arrays[name]
        elif kind == "swap":
            arrays[name] = arrays[chance.choice(sorted(arrays))]
        else:
            arrays[chance.choice(("x", "collapsed", "test.logits", "mia.test.logits", "a.b"))] = (
                array
            )
    return arrays


OTHER_TYPES = ("f2", "f8", ">f4", "i4", "u8", "?", "U8", "S8", "O", "c8", "M8[s]", "V4")
CELLS = (
    *("", " ", '"', '""', "a\nb", "a,b", "\0", "\x1b[2J", "\ud800", "nan", "NaN", "inf", "-inf"),
    *("1e400", "-0", "1e-400", "1,5", "1.5", "1e3", "0x10", "TRUE", "None", "9" * 400, "a" * 5000),
    *("é", "猫", "\u2028"),
)  # fmt: skip


def mutated_table(rows, chance, more=()):
    """A table (list of lists of text) with cells, rows and columns changed."""
    rows = [list(row) for row in rows]
    for _ in range(chance.randint(1, 3)):
        row = rows[chance.randrange(len(rows))] if rows else []
        kind = chance.choice(
            ("cell", "cell", "cell", "head", "drop", "double", "short", "long", "column")
        )
        if kind in ("cell", "head") and row:
            row = rows[0] if kind == "head" else row
            if row:
                row[chance.randrange(len(row))] = chance.choice((*CELLS, *more))
        elif kind == "drop" and rows:
            del rows[chance.randrange(len(rows))]
        elif kind == "double" and rows:
            rows.insert(chance.randint(0, len(rows)), list(row))
        elif kind == "short":
            del row[chance.randint(0, len(row)) :]
        elif kind == "long":
            row.append(chance.choice(CELLS))
        elif kind == "column" and rows and rows[0]:
            column = chance.randrange(len(rows[0]))
            for each in rows:
                del each[column : column + 1]
    return rows


def as_csv(rows, chance):
    """Text of CSV as some program may write it, quotes and separators not always right."""
    separator = chance.choice((",",) * 9 + (";", "\t"))
    end = chance.choice(("\n", "\n", "\r\n", "\r"))
    quoting = chance.random() < 0.8

    def field(text):
        needed = any(mark in text for mark in ',;\t"\n\r')
        return '"' + text.replace('"', '""') + '"' if quoting and needed else text

    return "".join(separator.join(map(field, row)) + end for row in rows)
