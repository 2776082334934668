"""Archives of `torch.save` are looked through before torch believes them."""

import zipfile

import pytest
import torch
from torch_archives import with_stated_size

from lotus.formats.torch_archive import why_damaged


@pytest.fixture
def archive(tmp_path):
    path = tmp_path / "w.pt"
    torch.save({"a": torch.full((3,), 0.5), "b": torch.full((1000,), 0.25)}, path)
    return path


def test_a_whole_one_is_sound(archive):
    assert why_damaged(archive) == ""


@pytest.mark.parametrize("size", [8, 16])
def test_a_part_is_as_large_as_is_stated(archive, size):
    """Else torch takes whatever lies in memory for the tensor, or leaves a part of it out."""
    archive.write_bytes(with_stated_size(archive.read_bytes(), "data/0", size))
    assert why_damaged(archive) == f"of w/data/0 the archive states {size} bytes, but has 12"


def test_all_parts_are_no_larger_than_the_file(archive):
    archive.write_bytes(with_stated_size(archive.read_bytes(), "data/0", 2**31))
    assert why_damaged(archive) == "the archive states more bytes than it has"


def test_a_changed_byte_of_a_part_is_noticed(archive):
    content = bytearray(archive.read_bytes())
    content[content.index(torch.full((3,), 0.5).numpy().tobytes())] ^= 1
    archive.write_bytes(content)
    assert why_damaged(archive) == "the checksum of w/data/0 is wrong"


def test_a_long_name_of_a_part_is_cut_off(tmp_path):
    with zipfile.ZipFile(tmp_path / "w.pt", "w") as archive:
        archive.writestr("w/data/" + 1000 * "0", b"four")
        archive.writestr("w/data.pkl", bytes(100))
    changed = with_stated_size((tmp_path / "w.pt").read_bytes(), "data/" + 1000 * "0", 8)
    (tmp_path / "w.pt").write_bytes(changed)
    assert why_damaged(tmp_path / "w.pt") == (
        f"of w/data/{113 * '0'}… the archive states 8 bytes, but has 4"
    )
