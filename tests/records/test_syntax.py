"""What of a source counts: everything that can change what it does, and nothing that people alone read."""

import json
import shutil
import subprocess

import pytest
from project import ROOT

from lotus.records import syntax
from lotus.records.sources import full_digest, source_of


def digest(text):
    return source_of(text.encode()).digest


FIELD = "from pydantic import Field\nclass A(M):\n    x: int = Field(1, "
SAME = {
    "comment": ("x = 1\n", "# why\nx = 1  # what\n"),
    "layout": ("x = f(1, 2)\n", "x = f(\n    1,\n\n    2,\n)\n"),
    "quotes": ("x = 'a'\n", 'x = """a"""\n'),
    "unicode prefix": ("x = 'a'\n", "x = u'a'\n"),
    "pieces of a text": ("x = 'ab'\n", "x = 'a' 'b'\n"),
    "pieces of an f-string": ("x = f'a{b}cd'\n", "x = 'a' f'{b}' 'c' f'' 'd'\n"),
    "forms of a number": ("x = 16, 0.5\n", "x = 0x10, 5e-1\n"),
    "parentheses": ("x = a * b + c\n", "x = ((a * b) + (c))\n"),
    "layout of an import": ("from a import b, c\n", "from a import (\n    b,\n    c,\n)\n"),
    "line ends": ("x = 1\ny = 2\n", "x = 1\r\ny = 2"),
    "docstring of a module": ("x = 1\n", '"""New."""\nx = 1\n'),
    "docstring of a function": (
        'def f():\n    """Old."""\n    return 1\n',
        "def f():\n    return 1\n",
    ),
    "docstring in place of pass": (
        "class E(Exception):\n    pass\n",
        'class E(Exception):\n    """One."""\n',
    ),
    "docstring of an attribute": (
        "class A:\n    x = 1\n",
        'class A:\n    x = 1\n    """What x is."""\n',
    ),
    "annotation of a parameter": (
        "def f(x, *a, k=1, **o): return x\n",
        "def f(x: int, *a: T, k: T = 1, **o: T): return x\n",
    ),
    "annotation of a result": ("def f(): return 1\n", "def f() -> int: return 1\n"),
    "annotation of a method": (
        "class A:\n    def f(self, x): pass\n",
        "class A:\n    def f(self, x: int) -> None: pass\n",
    ),
    "annotation of a property": (
        "class A:\n    @property\n    def f(self): pass\n",
        "class A:\n    @property\n    def f(self) -> int: pass\n",
    ),
    "annotation of a variable": ("x = 1\n", "x: int = 1\n"),
    "annotation in a function": ("def f():\n    x = 1\n", "def f():\n    x: int = 1\n"),
    "annotation of an attribute": ("def f(s):\n    s.x = 1\n", "def f(s):\n    s.x: int = 1\n"),
    "what only type checkers import": ("x = 1\n", "if TYPE_CHECKING:\n    import torch\nx = 1\n"),
    "its other branch": ("x = 1\n", "if typing.TYPE_CHECKING:\n    x = 2\nelse:\n    x = 1\n"),
    "description of a field": (FIELD + "ge=0)\n", FIELD + "ge=0, description='What it is')\n"),
}
OTHER = {
    "operator": ("x = a + b\n", "x = a - b\n"),
    "number": ("x = 1\n", "x = 2\n"),
    "kind of number": ("x = 1\n", "x = 1.0\n"),
    "truth": ("x = 1\n", "x = True\n"),
    "last bit of a number": ("x = 0.1\n", "x = 0.10000000000000002\n"),
    "text for bytes": ("x = 'a'\n", "x = b'a'\n"),
    "nothing given back": ("def f(): return\n", "def f(): return None\n"),
    "order": ("f()\ng()\n", "g()\nf()\n"),
    "order of keywords": ("f(a=1, b=2)\n", "f(b=2, a=1)\n"),
    "default": ("def f(x=1): pass\n", "def f(x=2): pass\n"),
    "kind of parameter": ("def f(x): pass\n", "def f(*, x): pass\n"),
    "lacking default": ("def f(*, a, b=1): pass\n", "def f(*, b=1, a): pass\n"),
    "unpacked mapping": ("x = {**a, 'b': c}\n", "x = {'b': c, **a}\n"),
    "space in a text": ("x = 'a b'\n", "x = 'a  b'\n"),
    "text that is used": ("f('Old.')\n", "f('New.')\n"),
    "text of an f-string": ("x = f'{a}b'\n", "x = f'{a}c'\n"),
    "form of an f-string": ("x = f'{a:.2f}'\n", "x = f'{a:.3f}'\n"),
    "half a surrogate pair": ("x = '\\ud800'\n", "x = '\\ud801'\n"),
    "long number": ("x = 0x" + "f" * 5000 + "\n", "x = 0x" + "f" * 4999 + "e\n"),
    "field of a class": ("class A:\n    x: int = 1\n", "class A:\n    x: float = 1\n"),
    "field without default": ("class A:\n    x: int\n", "class A:\n    x: float\n"),
    "field under a condition": (
        "class A:\n    if C:\n        x: int\n",
        "class A:\n    if C:\n        x: float\n",
    ),
    "field of a class in a function": (
        "def f():\n    class A:\n        x: int\n",
        "def f():\n    class A:\n        x: float\n",
    ),
    "annotation under a decorator": (
        "@app.command()\ndef f(x: int): pass\n",
        "@app.command()\ndef f(x: str): pass\n",
    ),
    "result under a decorator": (
        "class A:\n    @serializer\n    def f(self) -> int: pass\n",
        "class A:\n    @serializer\n    def f(self) -> str: pass\n",
    ),
    "name that belongs to a function": (
        "def f():\n    x: int\n    return x\n",
        "def f():\n    return x\n",
    ),
    "bound of a field": (FIELD + "ge=0, description='a')\n", FIELD + "ge=1, description='a')\n"),
    "description of another Field": (
        "from mine import Field\nx = Field(description='a')\n",
        "from mine import Field\nx = Field(description='b')\n",
    ),
    "broken source": ("x = = 1\n", "x = = 2\n"),
    "comment in a broken source": ("x = = 1\n", "x = = 1  # why\n"),
    "null byte": ("x = 1\0", "x = 2\0"),
    "decorator": ("@a\ndef f(): pass\n", "@b\ndef f(): pass\n"),
    "body and alternative": ("if a:\n    b\n", "if a:\n    pass\nelse:\n    b\n"),
    "two lists side by side": ("x = [a], [b]\n", "x = [a, b], []\n"),
}


@pytest.mark.parametrize("case", SAME)
def test_what_does_nothing_does_not_count(case):
    one, other = SAME[case]
    assert digest(one) == digest(other)


@pytest.mark.parametrize("case", OTHER)
def test_what_does_something_counts(case):
    one, other = OTHER[case]
    assert digest(one) != digest(other)


@pytest.mark.parametrize(
    "text",
    [
        "print(__doc__)",
        "x = f.__doc__",
        "x = getattr(f, '__doc__')",
        "from inspect import getdoc",
        "x = inspect.getsource(f)",
        "class A(M):\n    model_config = ConfigDict(use_attribute_docstrings=True)",
    ],
)
def test_a_source_says_that_it_reads_docstrings(text):
    assert source_of(text.encode()).reads_docs


@pytest.mark.parametrize(
    "text", ['"""Of f.__doc__."""', "# __doc__", "x = 'see __doc__'", "doc = 1"]
)
def test_naming_a_docstring_in_words_reads_none(text):
    assert not source_of(text.encode()).reads_docs


@pytest.mark.parametrize(
    "text", ["x = f.__annotations__", "from typing import get_type_hints", "x = p.annotation"]
)
def test_a_source_says_that_it_reads_annotations(text):
    assert source_of(text.encode()).reads_annotations


def test_what_is_read_as_it_runs_counts():
    def full(text, **read):
        return full_digest(text.encode(), **{"docs": False, "annotations": False, **read})

    old, new = 'def f(x: int):\n    """Old."""\n', 'def f(x: int):\n    """New."""\n'
    assert full(old) == full(new) == digest(old)
    assert full(old, docs=True) != full(new, docs=True)
    # Indentation is not, and Python 3.13 takes it off.
    one, other = '"""A.\n\nB.\n"""\n', '"""A.\n\n    B.\n    """\n'
    assert full(one, docs=True) == full(other, docs=True)
    for old, new in (
        ("def f(x: int): pass\n", "def f(x: str): pass\n"),
        ("x: int = 1\n", "x: str = 1\n"),
    ):
        assert full(old) == full(new)
        assert full(old, annotations=True) != full(new, annotations=True)


def test_depth_is_no_limit():
    text = f"x = {' + '.join(['a'] * 20_000)}\n"
    assert digest(text) != digest(text.replace("a + a\n", "a - a\n"))


DIGESTS = {
    """
def f(x: int = 1, *a, **k) -> str:
    "Doc."
    return f'{x!r:>{w}}a' if a else None
""": "0889e66e6fa9bacd",
    """
type_of = 1, 2.5, 3j, b'x', ..., None, True
class A(B, metaclass=M):
    x: int = 3
""": "00d0503f6f0a5066",
    """
try:
    f(*a, **k)
except* E as e:
    raise X from e
match x:
    case [1, *_] | {'a': b}:
        pass
""": "15993ccff641412f",
}


@pytest.mark.parametrize("text", DIGESTS)
def test_every_version_of_python_gives_these_digests(text):
    """They were made by 3.11; the same stand where this is run by another version."""
    assert digest(text)[:16] == DIGESTS[text]


@pytest.mark.parametrize("version", ["3.12", "3.13", "3.14"])
def test_another_version_of_python_gives_the_same_digests(version):
    python = shutil.which(f"python{version}")
    # Also where a name of it lies there and leads to none.
    if python is None or subprocess.run([python, "-c", ""], capture_output=True).returncode:
        pytest.skip(f"no python{version} is on the search path")
    sources = sorted((ROOT / "lotus").rglob("*.py"))
    # The module by itself: the other Python need not have the package's libraries.
    code = (
        "import importlib.util, json, pathlib, sys; "
        f"spec = importlib.util.spec_from_file_location('syntax', {syntax.__file__!r}); "
        "syntax = importlib.util.module_from_spec(spec); sys.modules['syntax'] = syntax; "
        "spec.loader.exec_module(syntax); "
        "trees = [syntax.parse(pathlib.Path(name).read_bytes()) for name in sys.argv[1:]]; "
        "print(json.dumps([syntax.tree_digest(tree, True, True) for tree in trees]))"
    )
    command = [python, "-c", code, *map(str, sources)]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    trees = [syntax.parse(path.read_bytes()) for path in sources]
    assert json.loads(said) == [syntax.tree_digest(tree, True, True) for tree in trees]
