"""Which files of a record are as it states them."""

from collections.abc import Set

from lotus.records.reading import Record


def sound_outputs(record: Record, sound: Set[str]) -> list[str]:
    """Returns what a record states that it wrote and is sound, in order of the paths.

    Args:
        sound: all artifacts of the project whose bytes are as recorded.

    """
    # Not `sound & …`: that looks through the whole project, and for each of its records.
    return sorted(path for path in record.outputs if path in sound)
