"""Tables as programs write them: what is read and what is refused, with its line."""

import os

import pytest
import raw_files
from own_images import GOOD, HEAD, read, refused, store_of

from lotus.errors import LotusError
from lotus.formats.csv_text import read_csv, read_rows


@pytest.mark.parametrize(
    "content",
    [
        GOOD,
        GOOD.replace("\n", "\r\n"),
        GOOD.replace("\n", "\r"),
        "\ufeff" + GOOD,
        GOOD.rstrip("\n"),
        GOOD.replace("\n", "\n\n"),
        "\n \n" + GOOD,
        GOOD.replace("ant", '"ant"'),
        "path,label,split,,\n0.png,ant,train,,\n1.png,bee,train,,\n2.png,ant,test,,\n",
        ",split,label,path\n0,train,ant,0.png\n1,train,bee,1.png\n2,test,ant,2.png\n",
    ],
)
def test_tables_as_programs_write_them(table, content):
    found = read(table(content))
    assert found.classes == ("ant", "bee")
    assert [path.name for path in found.images.paths] == ["0.png", "1.png", "2.png"]
    assert not found.remarks


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (HEAD + "\n\n0.png,ant,trian\n", "line 4: split 'trian'"),
        (HEAD + '0.png,"a\nb",train\n', "line 2: label 'a\\nb' has control"),
        (
            'path,note,label,split\n0.png,"a\n\nb",ant,train\n1.png,,bee,dev\n',
            "line 5: split 'dev'",
        ),
        (GOOD.replace("\n", "\r") + "3.png,ant,x\r", "line 5: split 'x'"),
        (GOOD.replace("\n", "\r\n") + "\r\n3.png,ant,x\r\n", "line 6: split 'x'"),
        (GOOD + "3.png,,train\n", "line 5: label is empty"),
        (GOOD + "3.png,  ,train\n", "line 5: label is empty"),
        (GOOD + ",ant,train\n", "line 5: path is empty"),
        (GOOD + ".,ant,train\n", "line 5: image {folder} is a folder"),
        (GOOD + "9.png,ant,train\n", "line 5: image {folder}/9.png was not found"),
        (GOOD + "3.png ,ant,train\n", "whose name lacks the blanks"),
        (GOOD + "x" * 300 + ",ant,train\n", "line 5: image {folder}/xxx"),
        (GOOD + "3.png,ant\n", "line 5: 2 fields, but the header has 3"),
        (GOOD + "3.png,ant,train,\n", "line 5: 4 fields, but the header has 3"),
        (GOOD + "3.png,a\0nt,train\n", "line 5: label 'a\\x00nt' has control"),
        (GOOD + '"3.png,ant,train\n4.png,ant,train\n', "line 5: is not a CSV file: unexpected end"),
        (GOOD + '"3.png"x,ant,train\n', "line 5: is not a CSV file"),
        (GOOD.replace(",", ";"), "separated by ';'"),
        (GOOD.replace(",", "\t"), "separated by '\\t'"),
        (GOOD.replace("split", "path"), "column split missing"),
        (GOOD.replace("label", "Label"), "write 'label' for 'Label'"),
        (GOOD.replace(",split", ", split"), "write 'split' for ' split'"),
        ("path,label,split,label\n0.png,ant,train,x\n", "two columns are called 'label'"),
        (HEAD, "no rows"),
        ("", "is not a CSV file: it is empty"),
        ("\n\n", "is not a CSV file: it is empty"),
        (GOOD.encode("utf-16"), "in UTF-16; save it as UTF-8"),
        (GOOD.encode("utf-16-le"), "in UTF-16; save it as UTF-8"),
        (GOOD.encode() + b"\n3.png,caf\xe9,train\n", "line 6: is not a CSV file in UTF-8"),
        (b"\xef\xbb\xbf" + GOOD.encode() + b"\xff\n", "line 5: is not a CSV file in UTF-8"),
        (HEAD + "0.png,ant,train\n1.png,ant,test\n", "a single class, 'ant'"),
    ],
)
def test_spoilt_tables_name_the_line(table, content, message):
    path = table(content)
    found = refused(path)
    assert message.format(folder=path.parent) in found, found
    assert str(path) in found


def test_backslashes_of_windows_part_folders(table, tmp_path):
    raw_files.image(tmp_path / "a" / "b" / "1.png", 1)
    found = read(table(GOOD + "a\\b\\1.png,ant,train\n"))
    assert tmp_path / "a/b/1.png" in found.images.paths


def test_blanks_about_a_label_are_said(table):
    (remark,) = read(table(GOOD.replace("bee", " bee"))).remarks
    assert "line 3: the label ' bee' has blanks at its ends" in remark


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("0.png,ant,train", "several rows: 1 (lines 2 and 5)"),
        ("./0.png,ant,train", "several rows: 1 (lines 2 and 5)"),
        ("0.png,bee,train", "with different labels: 1 (lines 2 and 5)"),
        ("0.png,ant,test", "in different parts: 1 (lines 2 and 5)"),
    ],
)
def test_an_image_in_several_rows_is_said(table, row, words):
    content = read(table(GOOD + row + "\n"))
    assert len(content.labels) == 4
    (remark,) = content.remarks
    assert words in remark
    assert not content.left_out


def test_tables_are_written_as_they_were_read(table):
    text = 'path,label,note\nNA,007,"two\nlines, ""so"""\n,1.0,\n'
    path = table(text)
    frame = read_csv(path, ("path", "label")).frame()
    assert list(frame.index) == [0, 1]
    frame.to_csv(path, index=False)
    assert path.read_text() == text
    assert read_rows(path, ("label", "path")) == [(2, ("007", "NA")), (4, ("1.0", ""))]
    assert read_csv(path, ("label",)).place(1) == f"{path}: line 4"


def test_other_files_in_place_of_a_table(tmp_path):
    (tmp_path / "images.rar").write_bytes(b"Rar!\x1a\7")
    assert "an archive that can be unpacked (zip, tar" in refused(tmp_path / "images.rar")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(LotusError, match="neither a folder nor a regular file"):
        store_of(tmp_path / "pipe", tmp_path / "built")
