"""Archives of `torch.save`: looked through before torch reads them, which believes what they state."""

import zipfile
from pathlib import Path

from lotus.names import told


def why_damaged(path: Path) -> str:
    """Returns what is wrong with the parts of an archive; '' if nothing is.

    Raises:
        Exception: of nearly any kind: damaged bytes raise whatever they happen to mean to zip files.

    """
    with zipfile.ZipFile(path) as archive:
        parts = archive.infolist()
        # torch does not compress, so parts are no larger than the file. One that states more could fill
        # the memory.
        if sum(part.file_size for part in parts) > path.stat().st_size:
            return "the archive states more bytes than it has"
        # torch takes a tensor by the stated size, and behind a shorter part whatever lies in memory.
        for part in parts:
            if part.file_size != part.compress_size:
                return (
                    f"of {told(part.filename)} the archive states {part.file_size:,} bytes, but has "
                    f"{part.compress_size:,}"
                )
        # Nor does it look at the checksums that it writes.
        changed = archive.testzip()
    return "" if changed is None else f"the checksum of {told(changed)} is wrong"
