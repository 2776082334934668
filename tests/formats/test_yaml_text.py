"""YAML as people write it: each mistake with its line, no value dropped or read as another."""

import json

import pytest
import yaml
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from lotus.config.origins import read_origin, typed
from lotus.config.reading import load
from lotus.errors import LotusError
from lotus.formats.yaml_text import parse, read_yaml
from lotus.plan.making import make_plan

MISTAKES = {
    "a: 1\n\nb: 010": "line 3: 010: a number with a leading zero; write 10",
    "a: [-0_17]": "line 1: -0_17: a number with a leading zero; write -17",
    "a: 1:30": "line 1: 1:30: YAML reads it as a number of base 60",
    "a: 1:30.5": "line 1: 1:30.5: YAML reads it as a number of base 60",
    "grid: 1\nb: 2\ngrid: 3": "line 3: 'grid' occurs twice (first on line 1)",
    "a:\n  b: {c: 1, c: 2}": "line 2: 'c' occurs twice (first on line 2)",
    "é: 1\ne\u0301: 2": "line 2: 'e\u0301' occurs twice (first on line 1)",
    "a: {b: 1}\r\nb: [\r\nc": "line 3: this is not valid YAML: while parsing a flow sequence",
    "a: x\u2028y\nb: : c": "line 2: this is not valid YAML",
    "a: 1\n---\nb: 2": "line 2: this is not valid YAML: expected a single document",
    "a: 2026-13-45": "line 1: '2026-13-45' cannot be read: month must be in 1..12",
    "a: 1\nb: \x01": "line 2: the character U+0001 is not allowed",
    "a: &a [*a]": "line 1: an alias stands within the value that it names",
    "? [1]\n: 2": "line 1: a list or mapping stands where a key is expected",
    "a: !!int ''": "line 1: '' is marked as !!int, and is none",
    "!!float '-': 1": "line 1: '-' cannot be read: could not convert string to float",
    "a: 1\nb: !!bool maybe": "line 2: 'maybe' is marked as !!bool, and is none",
    "a: !!map x": "line 1: this is not valid YAML: expected a mapping node, but found scalar",
    "!!set [1]": "line 1: this is not valid YAML: expected a mapping node, but found sequence",
    "a: " + "9" * 5000: "line 1: '99999999999999999999…' cannot be read",
    "a: !!python/object:os.system x": "line 1: this is not valid YAML: could not determine a constructor",
    '{"a": "x", "b": "\\ud83d"}': "line 1: '\\ud83d' has half of a character",
    "[" * 5000: "is nested too deeply",
}


@pytest.mark.parametrize("text", MISTAKES, ids=lambda text: repr(text[:20]))
def test_a_mistake_is_told_with_its_line(text):
    with pytest.raises(LotusError) as told:
        parse(text, "own.yaml")
    assert str(told.value).startswith(f"own.yaml: {MISTAKES[text]}")


def test_aliases_that_multiply_without_end_are_refused():
    lines = ["a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    lines += [
        f"{b}: &{b} [{', '.join([f'*{a}'] * 10)}]"
        for a, b in zip("abcdefg", "bcdefgh", strict=True)
    ]
    with pytest.raises(LotusError, match="line 6: aliases come to more than 1,000,000 values"):
        parse("\n".join(lines), "own.yaml")


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ("é: 1".encode("latin-1"), "line 1: is not UTF-8 (byte 0xe9); save it as UTF-8"),
        (b"a: 1\nb: \xff\n", "line 2: is not UTF-8"),
        ("a: 1".encode("utf-16"), "is in UTF-16, not in UTF-8; save it as UTF-8"),
    ],
)
def test_other_encodings_are_named(tmp_path, data, told):
    path = tmp_path / "own.yaml"
    path.write_bytes(data)
    with pytest.raises(LotusError) as found:
        read_yaml(path)
    assert told in str(found.value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: 0", 0),
        ("a: 0.5", 0.5),
        ("a: 1_000", 1000),
        ("a: 0x10", 16),
        ("a: '010'", "010"),
        ("a: 08", "08"),  # no octal number: a text in both versions of YAML
        ("a: 1e-3", "1e-3"),
        ("a: yes", True),
        ("\ufeffa: 1\r\n", 1),
        (json.dumps({"a": "猫🐱"}), "猫🐱"),
        ("d: &d {a: 1}\n<<: *d\na: 2", 2),
    ],
)
def test_what_is_meant_is_read_as_ever(text, value):
    assert parse(text, "own.yaml").content["a"] == value


def test_lines_are_those_of_keys_and_items():
    text = parse("a: 1\r\n\r\nb:\r\n  - x\r\n  - y: 2\r\n    no: [1,\r\n 3]\r\n", "own.yaml")
    assert text.lines == {
        ("a",): 1,
        ("b",): 3,
        ("b", 0): 4,
        ("b", 1): 5,
        ("b", 1, "y"): 5,
        ("b", 1, False): 6,
        ("b", 1, False, 0): 6,
        ("b", 1, False, 1): 7,
    }


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(0.01, 1e6) | st.text(max_size=8),
    lambda parts: (
        st.lists(parts, max_size=3) | st.dictionaries(st.text(max_size=4), parts, max_size=3)
    ),
    max_leaves=8,
)


@given(VALUES)
def test_all_values_come_back_as_pyyaml_writes_them(value):
    text = yaml.safe_dump(value, allow_unicode=True)
    # PyYAML writes U+0085 in a way that it does not read back itself.
    assume(yaml.safe_load(text) == value)
    assert parse(text, "own.yaml").content == value


@given(VALUES)
def test_all_values_come_back_as_json_writes_them(value):
    assert parse(json.dumps(value), "--config").content == value


@given(st.text(max_size=40))
def test_texts_of_the_command_line_are_read_or_refused(text):
    try:
        typed([text])
    except LotusError as error:
        assert str(error).startswith("--config: ")


def damaged(data: bytes):
    """A strategy: the bytes with some of them exchanged, left out, repeated or moved."""
    places = st.integers(0, len(data) - 1)
    pieces = st.sampled_from(
        [b"", b"\xff", b"\x00", b": ", b"- ", b"\n", b"{", b"]", b"'", b"*a", b"&a ", b"010", b"1:30",
         b"no", b"~", b"9" * 5000, b"\xc3\xa9", b"!!int ", b"#", b"<<: ", b"\t", b"-1", b"nan"]
    )  # fmt: skip

    def edit(text: bytes, edits: list[tuple[int, int, bytes]]) -> bytes:
        for start, length, piece in edits:
            text = text[:start] + piece + text[start + length :]
        return text

    edits = st.lists(st.tuples(places, st.integers(0, 12), pieces), min_size=1, max_size=3)
    return edits.map(lambda chosen: edit(data, chosen))


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_a_damaged_configuration_is_a_plan_or_one_clear_error(tmp_path, digits_config, data):
    path = tmp_path / "own.yaml"
    path.write_bytes(data.draw(damaged(digits_config)))
    try:
        origin = read_origin(path)
        load(origin.content, [origin])
        make_plan(origin.content, [origin])
    except LotusError as error:
        assert all(line.startswith(str(path)) for line in str(error).splitlines())


@pytest.fixture(scope="module")
def digits_config(pytestconfig):
    return (pytestconfig.rootpath / "config/digits.yaml").read_bytes()
