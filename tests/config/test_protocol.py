"""Names of protocols, and the register of switches."""

import pytest

from lotus.config.protocol import CORRECTED, RELEASED, SWITCHES, Protocol, of_stage, parse
from lotus.config.register import REGISTER
from lotus.errors import LotusError

IDS = [
    *("E1", "E2", "E3", "E4", "E5", "E6", "T1", "T2"),
    *(f"M{number}" for number in range(1, 10)),
    *("R1", "R2"),
]


def test_register_has_every_switch_of_the_analysis():
    assert sorted(REGISTER) == sorted(IDS)
    assert list(REGISTER) == list(SWITCHES)
    assert all(switch.where and switch.released for switch in REGISTER.values())


def test_register_says_what_each_switch_changes():
    assert of_stage("training") == {"T1"}
    assert of_stage("method") == {"T2", "R2", *(f"M{number}" for number in range(1, 10))}
    assert of_stage("evaluation") == {"E1", "E2"}
    assert of_stage("metrics") == {"E3", "E4", "E5", "E6"}
    assert of_stage("time") == {"R1"}
    assert of_stage("training", "time") == {"T1", "R1"}


def test_released_turns_all_on_and_corrected_none():
    assert all(RELEASED.has(switch) for switch in IDS)
    assert not any(CORRECTED.has(switch) for switch in IDS)
    assert {*RELEASED.on} == {*IDS}
    assert Protocol() == CORRECTED


@pytest.mark.parametrize(
    ("name", "on"),
    [
        ("corrected", set()),
        ("corrected+m1", {"M1"}),
        ("corrected+m2+e1", {"E1", "M2"}),
        ("released", {*IDS}),
        ("released-e1", {*IDS} - {"E1"}),
        ("released-e1-e2", {*IDS} - {"E1", "E2"}),
    ],
)
def test_names(name, on):
    protocol = parse(name)
    assert protocol.on == on
    assert {switch for switch in IDS if protocol.has(switch)} == on
    assert protocol.name == name
    assert parse(protocol.name) == protocol


def test_one_protocol_has_one_name():
    assert parse("corrected+m2+e1").name == parse("corrected+e1+m2").name
    assert parse("corrected+M2+E1") == parse("corrected+e1+m2")
    together = "corrected" + "".join(f"+{switch.lower()}" for switch in IDS)
    assert parse(together).on == RELEASED.on
    assert parse(together) != RELEASED


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("correct", ["unknown protocol 'correct'", "did you mean 'corrected'"]),
        ("", ["unknown protocol ''", "corrected, released"]),
        ("corrected-e1", ["'-e1'", "corrected+SWITCH"]),
        ("released+e1", ["'+e1'", "released-SWITCH"]),
        ("corrected+e1-m2", ["'-m2'"]),
        ("corrected+m10", ["'+m10'", "did you mean 'm1'"]),
        ("corrected+", ["'+'"]),
        ("corrected+e1+e1", ["names a switch twice"]),
        ("corrected e1", ["unknown protocol"]),
    ],
)
def test_other_names_are_refused(name, parts):
    with pytest.raises(LotusError) as caught:
        parse(name)
    (line,) = str(caught.value).splitlines()
    assert all(part in line for part in parts), line


def test_has_refuses_switches_that_there_are_not():
    for protocol in (CORRECTED, RELEASED):
        with pytest.raises(KeyError):
            protocol.has("M10")
        with pytest.raises(KeyError):
            protocol.has("e1")


@pytest.mark.parametrize(
    ("name", "switches", "limited"),
    [
        ("corrected+m1+e1", {"M1", "T2"}, "corrected+m1"),
        ("released-e1-m2", {"M2"}, "released-m2"),
        ("released-e1", set(), "released"),
        ("corrected", {"M1"}, "corrected"),
    ],
)
def test_limited_to(name, switches, limited):
    assert parse(name).limited_to(frozenset(switches)).name == limited
