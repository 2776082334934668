"""A disk that fills up while a run is written: one line, nothing half written, the same command goes on."""

import shlex
import subprocess
import sys

import pytest
from runs_on_digits import record
from small_disk import CANNOT_MOUNT, on_small_disk


@pytest.mark.skipif(bool(CANNOT_MOUNT), reason=CANNOT_MOUNT)
def test_a_full_disk_is_told_in_a_line_and_leaves_nothing_behind(inputs, finetuned, tmp_path):
    place = tmp_path / "small"
    lotus = [
        *(sys.executable, "-m", "lotus", "unlearn", "finetune", "--set", "epochs=0"),
        *("--store", inputs.store, "--held-out", inputs.held_out),
        *("--forget-set", inputs.forget_set, "--original", finetuned / "original"),
        *("--seed", "1", "--device", "cpu", "--out", place / "run"),
    ]
    command = shlex.join(map(str, lotus))
    # Larger than the model's predictions, smaller than its weights.
    shell = f"{command}; echo status $?; find {shlex.quote(str(place))} -type f"
    full = on_small_disk(place, "64k", shell)
    assert full.stdout == "status 1\n"
    (line,) = [line for line in full.stderr.splitlines() if line.startswith("Error: ")]
    assert "the disk is full, or your share of it (" in line
    assert "No space left on device" in line
    assert "Traceback" not in full.stderr
    subprocess.run([*map(str, lotus)], check=True, capture_output=True)
    assert record(place / "run")["notes"]["outcome"] == "sound"
