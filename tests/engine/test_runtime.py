"""The declared runtime: its words, its errors, what records say of it."""

import pytest
import torch

from lotus.engine import device, forward
from lotus.engine.device import Device, prepare
from lotus.engine.runtime import Runtime, parse, said_in, stated_in
from lotus.errors import LotusError


@pytest.fixture(autouse=True)
def flags_put_back():
    yield
    prepare("cpu", 1)
    device._set_tf32(False)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", Runtime()),
        ("default", Runtime()),
        ("precision=fp32 deterministic=on", Runtime()),
        ("precision=bf16 compile=on", Runtime(precision="bf16", compile="on")),
        (" compile=on,cuda_graphs=on ", Runtime(compile="on", cuda_graphs="on")),
    ],
)
def test_a_runtime_is_read_from_words_and_written_in_the_shortest(text, found):
    assert parse(text) == found
    assert parse(str(found)) == found
    assert said_in(found.stated) == str(found)
    assert stated_in(found.stated) == found.stated


def test_records_from_before_there_was_a_choice_mean_the_default():
    assert said_in({"device": "cpu", "threads": 1}) == str(Runtime()) == "default"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("speed=high", "there is no choice 'speed'; .*precision=fp32|tf32|bf16"),
        ("precison=bf16", "accepted: channels_last=on|off, compile=on|off"),
        ("default compile=on", "there is no choice 'default'"),
        ("precision=fp16", "runtime 'precision=fp16': accepted: precision=fp32"),
        ("compile", "accepted: compile=on"),
        ("compile=on compile=off", "compile is given twice"),
        ("cuda_graphs=on", "accepted with compile=on"),
    ],
)
def test_what_is_no_runtime_is_refused(text, said):
    with pytest.raises(LotusError, match=said):
        parse(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("precision=tf32", "precision=tf32 needs CUDA.*precision=fp32 or bf16"),
        ("compile=on cuda_graphs=on", "cuda_graphs=on needs CUDA.*cuda_graphs=off"),
    ],
)
def test_what_needs_cuda_is_refused_on_a_processor(text, said):
    with pytest.raises(LotusError, match=said):
        prepare("cpu", 1, parse(text))


def test_compilation_without_a_compiler_is_refused(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CXX", raising=False)
    for given in (None, "ccache c++"):
        if given is not None:
            monkeypatch.setenv("CXX", given)
        with pytest.raises(LotusError, match=r"needs a C\+\+ compiler.*accepted.*compile=off"):
            prepare("cpu", 1, parse("compile=on"))
    monkeypatch.setattr(forward, "find_spec", lambda _: None)
    with pytest.raises(LotusError, match="needs the package triton"):
        forward.refuse_without_compiler("cuda")


def test_determinism_is_a_choice_that_each_job_sets_anew():
    for text, wanted in (("deterministic=off", False), ("", True)):
        prepare("cpu", 1, parse(text))
        assert torch.are_deterministic_algorithms_enabled() is wanted
        assert torch.backends.cudnn.benchmark is not wanted


def test_tf32_is_on_only_where_it_is_declared_and_in_both_of_torchs_interfaces():
    for wanted in (True, False):
        device._set_tf32(wanted)
        for backend in (torch.backends.cuda.matmul, torch.backends.cudnn):
            assert backend.allow_tf32 is wanted
        assert torch.get_float32_matmul_precision() == ("high" if wanted else "highest")
        if hasattr(torch.backends.cudnn, "conv"):
            assert (torch.backends.cuda.matmul.fp32_precision == "tf32") is wanted
            assert (torch.backends.cudnn.conv.fp32_precision == "tf32") is wanted


def test_hardware_states_the_whole_runtime():
    found = Device(torch.device("cpu"), 1, parse("precision=bf16")).hardware
    assert found == {
        **{"device": "cpu", "device_name": None, "threads": 1},
        **{"precision": "bf16", "channels_last": "on", "compile": "off"},
        **{"cuda_graphs": "off", "deterministic": "on"},
    }


def test_only_repeatable_runs_on_gpus_keep_from_fused_steps():
    told = [("cuda", "deterministic=off"), ("cuda", ""), ("cpu", "deterministic=off")]
    assert [Device(torch.device(it), 1, parse(text)).fuses_steps for it, text in told] == [
        *(True, False, False)
    ]
