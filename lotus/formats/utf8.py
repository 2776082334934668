"""Text in UTF-8, or where it is not."""

import re


class NotUtf8Error(ValueError):
    """Bytes that are no text in UTF-8.

    Attributes:
        line: as an editor counts it, from 1; None: all of it is in UTF-16.
        byte: the first that is none of UTF-8.

    """

    def __init__(self, line: int | None = None, byte: int = 0) -> None:
        super().__init__(line, byte)
        self.line, self.byte = line, byte


def decode(data: bytes) -> str:
    """The text; a byte order mark is no part of it.

    Raises:
        NotUtf8Error: the bytes are something else.

    """
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise NotUtf8Error
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # Of a file with a mark the position is counted behind it, where no line ends.
        before = error.object[: error.start]
        line = len(re.findall(rb"\r\n|\r|\n", before)) + 1
        raise NotUtf8Error(line, error.object[error.start]) from error
