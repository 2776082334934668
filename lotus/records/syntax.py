"""Reduces a Python source to what decides what it does: its tree, without what only people read.

No tree has comments or layout. Left out besides are:

- docstrings, other texts and `...` that stand alone as a statement, and `pass`;
- annotations of parameters and of results, and of variables outside of classes. Annotations in the body of
  a class count: dataclasses, pydantic, `NamedTuple` and `TypedDict` make fields of them. Those of a
  decorated function count, unless its decorators are known to read none (`READ_NO_ANNOTATIONS`);
- what stands under `if TYPE_CHECKING:`;
- `description`, `title` and `examples` of a pydantic `Field`: the manual of a configuration.

A program can read docstrings and annotations as it runs. `names` says what a source uses, `DOC_READERS` and
`ANNOTATION_READERS` are the names by which that is done. Where a step reaches a source with one of them,
what would be left out counts (`lotus.records.code_identity`).

The written form is the same for every version of Python that has the same tree: fields stand in the order
of their names, those without content are left out, and so are the quotes of a text. A version that gives
another tree to the same source gives another digest. 3.11, 3.12 and 3.13 give all sources of this package
the same one; for that, the texts of an f-string are joined here. Syntax that a version does not know is an
error to it.
"""

import ast
import hashlib
import inspect
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

DOC_READERS = frozenset(
    {
        "__doc__",
        "findsource",
        "getcomments",
        "getdoc",
        "getsource",
        "getsourcelines",
        "model_json_schema",
        "use_attribute_docstrings",
    }
)
"""Names by which a program reads docstrings, or the descriptions of fields."""
ANNOTATION_READERS = frozenset(
    {
        "__annotate__",
        "__annotations__",
        "annotation",
        "get_annotations",
        "get_type_hints",
        "getfullargspec",
        "return_annotation",
        "validate_call",
    }
)
"""Names by which a program reads annotations of functions."""
READ_NO_ANNOTATIONS = frozenset(
    {
        "abstractmethod",
        "cache",
        "cached_property",
        "classmethod",
        "contextmanager",
        "lru_cache",
        "no_grad",
        "override",
        "property",
        "setter",
        "staticmethod",
    }
)
"""Decorators that read no annotations."""
FIELD_TEXTS = frozenset({"description", "title", "examples"})
"""What a pydantic `Field` says to people."""


def parse(source: bytes) -> ast.Module | None:
    """Returns the tree of a source; None where Python finds none."""
    with warnings.catch_warnings():
        # Of escapes and the like: whoever imports the source is told of them.
        warnings.simplefilter("ignore")
        try:
            return ast.parse(source)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None


def tree_digest(tree: ast.Module, docs: bool = False, annotations: bool = False) -> str:
    """Returns the sha256 of what counts of a tree.

    Args:
        docs: whether docstrings and descriptions of fields count.
        annotations: whether all annotations count.

    """
    written = _Writer(docs, annotations, _names_of_field(tree)).write(tree)
    return hashlib.sha256(written.encode("utf-8", "surrogatepass")).hexdigest()


def nodes_that_run(tree: ast.AST) -> Iterator[ast.AST]:
    """Yields all nodes of a tree that say something, but for those under `if TYPE_CHECKING:`."""
    todo = [tree]
    while todo:
        node = todo.pop()
        yield node
        if isinstance(node, ast.If) and _is_for_checkers(node):
            todo += node.orelse
            continue
        # As `ast.iter_child_nodes` does, in half its time; `Load`, `Add` and the like say nothing here.
        for name in node._fields:
            content = getattr(node, name, None)
            if type(content) is list:
                todo += [part for part in content if isinstance(part, ast.AST)]
            elif isinstance(content, ast.AST) and content._fields:
                todo.append(content)


_NAMES = {ast.Name: "id", ast.Attribute: "attr", ast.alias: "name", ast.keyword: "arg"}
"""Nodes that name something → the field that has the name."""


def names(nodes: Iterable[ast.AST]) -> frozenset[str]:
    """Returns what nodes name; also texts that stand on their own, as in `getattr(function, "__doc__")`."""
    found = set()
    for node in nodes:
        field = _NAMES.get(type(node))
        if field is not None:
            found.add(getattr(node, field))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.add(node.value)
    # `**more` in a call has no name.
    return frozenset(filter(None, found))


def _is_for_checkers(node: ast.If) -> bool:
    """Whether the body of an `if` is for type checkers alone."""
    return _last_name(node.test) == "TYPE_CHECKING"


def _last_name(node: ast.expr) -> str:
    """Returns `b` of `a.b` and of `b`, '' of anything else."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _names_of_field(tree: ast.Module) -> frozenset[str]:
    """Returns the names by which a source calls the `Field` of pydantic."""
    return frozenset(
        alias.asname or alias.name
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.module == "pydantic"
        for alias in node.names
        if alias.name == "Field"
    )


@dataclass(frozen=True)
class _Within:
    """The surroundings of a node.

    Attributes:
        is_class: the node stands in the body of a class, where annotations make fields.
        reads_parameters: the annotations of the function around it count.

    """

    is_class: bool = False
    reads_parameters: bool = False


_MODULE, _CLASS = _Within(), _Within(is_class=True)


@dataclass(frozen=True)
class _Writer:
    """Writes what counts of a tree, as `(Return value=(Name ctx=(Load) id=str:1:x))`.

    Attributes:
        fields: what the source calls the `Field` of pydantic.

    """

    docs: bool
    annotations: bool
    fields: frozenset[str]
    written: list[str] = field(default_factory=list)

    def write(self, tree: ast.Module) -> str:
        """Returns the whole text."""
        # A stack, not recursion: how deep a tree may be must not depend on who asks.
        todo: list[tuple[Any, _Within]] = [(tree, _MODULE)]
        while todo:
            value, within = todo.pop()
            if type(value) is _Text:
                self.written.append(value)
            elif type(value) is list:
                todo.append((_END_OF_LIST, within))
                todo += [(part, within) for part in reversed(value)]
                self.written.append("[")
            elif isinstance(value, ast.AST):
                todo += reversed(self._parts(value, within))
            else:
                self.written.append(_constant(value))
        return "".join(self.written)

    def _parts(self, node: ast.AST, within: _Within) -> list[tuple[Any, _Within]]:
        """Returns the texts and nodes that a node comes to, each node with its surroundings."""
        # Most nodes are names and values.
        if (text := _leaf(node)) is not None:
            return [(_Text(text), within)]
        if isinstance(node, ast.AnnAssign):
            node = self._assigned(node, within)
        inner = within
        if isinstance(node, ast.ClassDef):
            inner = _CLASS
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            inner = _Within(reads_parameters=self.annotations or _may_read(node.decorator_list))
        parts: list[tuple[Any, _Within]] = []
        kind: Any = type(node)
        form = _form(kind)
        text = form.begin
        for name in form.fields:
            content = (
                getattr(node, name, None) if form.is_plain else self._content(node, name, inner)
            )
            # Versions differ in which fields there are, of those without content.
            if content is None or content == []:
                continue
            text += f" {name}="
            if isinstance(content, ast.AST):
                if (leaf := _leaf(content)) is not None:
                    text += leaf
                    continue
            elif type(content) is not list:
                text += _constant(content)
                continue
            parts += [(_Text(text), within), (content, inner)]
            text = ""
        parts.append((_Text(f"{text})"), within))
        return parts

    def _content(self, node: ast.AST, name: str, within: _Within) -> Any:
        """Returns what counts of a field; None or [] if nothing does."""
        content: Any = getattr(node, name, None)
        if name in _STATEMENTS and isinstance(content, list):
            return list(self._statements(content))
        if isinstance(node, ast.Call) and name == "keywords" and isinstance(node.func, ast.Name):
            is_read = self.docs or node.func.id not in self.fields
            return [key for key in content if is_read or key.arg not in FIELD_TEXTS]
        if isinstance(node, ast.arg) and name == "annotation":
            return content if within.reads_parameters else None
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and name == "returns":
            return content if within.reads_parameters else None
        if isinstance(node, ast.JoinedStr):
            return list(_joined(content))
        return content

    def _statements(self, statements: Sequence[ast.stmt]) -> Iterator[ast.AST]:
        """Yields the statements that do something, and docstrings where these count."""
        for statement in statements:
            match statement:
                case ast.If() if _is_for_checkers(statement):
                    yield from self._statements(statement.orelse)
                case ast.Expr(value=ast.Constant(value=str() as text)) if self.docs:
                    # Python 3.13 takes the indentation off.
                    yield ast.Constant(inspect.cleandoc(text))
                case ast.Pass() | ast.Expr(value=ast.Constant()):
                    pass
                case _:
                    yield statement

    def _assigned(self, node: ast.AnnAssign, within: _Within) -> ast.AST:
        """Returns an assignment without its annotation, where that is not read."""
        if within.is_class or self.annotations:
            return node
        if node.value is None:
            # The name belongs to its function all the same.
            return ast.Expr(node.target)
        return ast.Assign([node.target], node.value)


_SPECIAL = (
    *(ast.arg, ast.Call, ast.JoinedStr, ast.stmt),
    *(ast.Module, ast.ExceptHandler, ast.match_case),
)
"""Nodes with fields that do not count as they are."""


class _Text(str):
    """A text that is written as it stands."""

    __slots__ = ()


_END_OF_LIST = _Text("]")
_STATEMENTS = frozenset({"body", "orelse", "finalbody"})


@dataclass(frozen=True)
class _Form:
    """How nodes of a type are written.

    Attributes:
        begin: the bracket and the name.
        fields: in the order of their names.
        is_plain: whether all fields count as they are.

    """

    begin: str
    fields: tuple[str, ...]
    is_plain: bool


@cache
def _form(kind: type[ast.AST]) -> _Form:
    return _Form(f"({kind.__name__}", tuple(sorted(kind._fields)), not issubclass(kind, _SPECIAL))


def _leaf(node: ast.AST) -> str | None:
    """Writes a node in which no other one counts; None of any other node."""
    if isinstance(node, ast.Name):
        return f"(Name ctx=({type(node.ctx).__name__}) id={_constant(node.id)})"
    if isinstance(node, ast.Constant):
        # Also of None, which is a value here.
        return f"(Constant value={_constant(node.value)})"
    return None if node._fields else f"({type(node).__name__})"


def _constant(value: Any) -> str:
    """Writes a value so that no other is written the same, and the same in every version of Python."""
    if type(value) is str:
        return f"str:{len(value)}:{value}"
    if isinstance(value, float):
        text = value.hex()
    elif isinstance(value, complex):
        text = f"{value.real.hex()} {value.imag.hex()}"
    elif isinstance(value, int) and not isinstance(value, bool):
        # In decimal, Python refuses numbers of many digits.
        text = hex(value)
    else:
        text = repr(value)
    # The length tells where a text ends, whatever brackets and colons are in it.
    return f"{type(value).__name__}:{len(text)}:{text}"


def _joined(parts: Sequence[ast.expr]) -> Iterator[ast.expr]:
    """Yields the parts of an f-string, its texts in one piece wherever Python cut them."""
    text = ""
    for part in parts:
        if isinstance(part, ast.Constant):
            text += str(part.value)
            continue
        if text:
            yield ast.Constant(text)
        text = ""
        yield part
    if text:
        yield ast.Constant(text)


def _may_read(decorators: Iterable[ast.expr]) -> bool:
    """Whether one of a function's decorators may read its annotations."""
    # One that is not known may: a step that runs again for nothing does no harm, a stale result does.
    return any(
        _last_name(node.func if isinstance(node, ast.Call) else node) not in READ_NO_ANNOTATIONS
        for node in decorators
    )
