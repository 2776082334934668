"""Bytes with some of them set, dropped, inserted or cut off at random."""

from hypothesis import strategies as st

EDITS = st.lists(
    st.tuples(
        st.sampled_from(["set", "drop", "cut", "insert"]),
        st.floats(0, 1, exclude_max=True),
        st.integers(0, 255),
    ),
    min_size=1,
    max_size=5,
)


def damaged(whole, edits):
    """The bytes after these edits."""
    content = bytearray(whole)
    for kind, share, value in edits:
        place = int(share * len(content))
        if kind == "set" and content:
            content[place] = value
        elif kind == "drop":
            del content[place : place + 1 + value % 9]
        elif kind == "cut":
            del content[place:]
        else:
            content.insert(place, value)
    return bytes(content)
