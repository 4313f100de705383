"""Rules that turn a line of code into a wrong one: the kinds of errors that people make."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any, NamedTuple

Edit = Callable[[Any], ast.AST | None]
"""Changes a node in place, or returns what stands there instead."""

_PAIRS = (
    *(("source", "target"), ("SOURCE", "TARGET"), ("forward", "backward"), ("W", "A")),
    *(("E_s", "E_t"), ("A_s", "A_t"), ("W_s", "W_t"), ("rows", "words"), ("min", "max")),
    *(("alpha", "beta"), ("zeros", "ones"), ("sum", "mean"), ("argmin", "argmax")),
    *(("minimum", "maximum"), ("row", "column"), ("words", "tags"), ("dE", "dA"), ("W", "U")),
)
TWINS = {there: here for here, there in _PAIRS} | dict(_PAIRS)
"""Names of which one is easily taken for the other."""

OPERATORS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.And: ast.Or,
    ast.Or: ast.And,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Div,
    ast.USub: ast.UAdd,
}
SYMMETRIC = {"min", "max", "minimum", "maximum", "logaddexp", "vdot", "isclose", "array_equal"}
"""Functions whose first two arguments may change places."""

OPTIONS = {"config", "options", "Config"}
"""Names of what holds options."""

Simple = ast.Assign | ast.AnnAssign | ast.AugAssign | ast.Return | ast.Expr
Header = ast.If | ast.While | ast.For


class Mutant(NamedTuple):
    """One statement made wrong."""

    rule: str
    old: str  # whole lines, which stand once in the module
    new: str


def mutants_of(source: str) -> list[Mutant]:
    """Every mutant of the statements inside a module's functions, and of its lists of names.

    Docstrings, imports, signatures and errors that are raised are left alone.
    """
    lines = source.splitlines(keepends=True)
    words = set(re.findall(r"\w+", source))
    found: dict[tuple[str, str], Mutant] = {}
    tree = ast.parse(source)
    for statement in (*_statements(tree), *_lists_of_names(tree)):
        is_header = isinstance(statement, Header)
        end = _head(statement).end_lineno if is_header else statement.end_lineno
        begin = statement.lineno - 1
        own = "".join(lines[begin:end])
        before = _what_makes_it_unique(source, lines, begin, own)
        if before is None:
            continue
        lead = own[: len(own) - len(own.lstrip())]
        changes = _changed_head(statement, own, words) if is_header else _changed(statement, words)
        for rule, text in changes:
            new = before + "".join(f"{lead}{line}\n" for line in text.splitlines())
            found.setdefault((before + own, new), Mutant(rule, before + own, new))
    return list(found.values())


def _what_makes_it_unique(source: str, lines: list[str], begin: int, own: str) -> str | None:
    """Lines above a statement that tell it from others like it; None if six do not."""
    for first in range(begin, max(begin - 7, -1), -1):
        before = "".join(lines[first:begin])
        if source.count(before + own) == 1:
            return before
    return None


def _statements(tree: ast.Module) -> Iterator[Any]:
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef):
            for node in ast.walk(function):
                is_text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
                is_bare = isinstance(node, ast.AnnAssign) and node.value is None
                if isinstance(node, Simple | Header) and not is_text and not is_bare:
                    yield node


def _lists_of_names(tree: ast.Module) -> Iterator[ast.Assign]:
    """Constants of a module that are several texts or names; not what it exports."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Tuple | ast.Set | ast.List):
            if ast.unparse(node.targets[0]) != "__all__":
                yield node


def _head(statement: Header) -> ast.expr:
    return statement.iter if isinstance(statement, ast.For) else statement.test


def _changed_head(statement: Header, own: str, words: set[str]) -> Iterator[tuple[str, str]]:
    word = "elif" if own.lstrip().startswith("elif") else type(statement).__name__.lower()
    if isinstance(statement, ast.For):
        word = f"for {ast.unparse(statement.target)} in"
    head = _head(statement)
    if isinstance(statement, ast.If):
        yield "a condition is turned round", f"{word} not ({ast.unparse(head)}):"
        yield "a condition always holds", f"{word} True:"
        yield "a condition never holds", f"{word} False:"
    for rule, text in _changed(ast.Expr(head), words):
        if text != "pass":
            yield rule, f"{word} {text}:"


def _changed(statement: ast.stmt, words: set[str]) -> Iterator[tuple[str, str]]:
    if isinstance(statement, ast.AugAssign | ast.Expr) or _writes_into(statement):
        yield "a statement is left out", "pass"
    if isinstance(statement, ast.AugAssign):
        plain = ast.Assign([statement.target], statement.value, lineno=1)
        yield "assigned instead of added", ast.unparse(plain)
    without_effect = {id(inner) for node in _left_alone(statement) for inner in ast.walk(node)}
    for number, node in enumerate(ast.walk(statement)):
        for rule, edit in () if id(node) in without_effect else _edits(node, words):
            copy = deepcopy(statement)
            there = list(ast.walk(copy))[number]
            instead = edit(there)
            text = ast.unparse(_with(copy, there, instead) if instead else copy)
            if text != ast.unparse(statement):
                yield rule, text


def _left_alone(statement: ast.stmt) -> Iterator[ast.AST]:
    """Annotations, and `strict` of zip, which only checks."""
    for node in ast.walk(statement):
        if isinstance(node, ast.AnnAssign):
            yield node.annotation
        elif isinstance(node, ast.keyword) and node.arg == "strict":
            yield node


def _writes_into(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Assign) and all(
        isinstance(target, ast.Subscript | ast.Attribute) for target in statement.targets
    )


def _with(tree: ast.AST, old: ast.AST, new: ast.AST) -> ast.AST:
    """The tree with one of its nodes exchanged."""
    for node in ast.walk(tree):
        for name, value in ast.iter_fields(node):
            if value is old:
                setattr(node, name, new)
            elif isinstance(value, list) and any(item is old for item in value):
                setattr(node, name, [new if item is old else item for item in value])
    return tree


def _edits(node: ast.AST, words: set[str]) -> Iterator[tuple[str, Edit]]:
    if isinstance(node, ast.Call):
        yield from _edits_of_call(node)
    if isinstance(node, ast.BinOp | ast.BoolOp | ast.UnaryOp | ast.AugAssign):
        if type(node.op) in OPERATORS:
            yield "another operator", _set("op", OPERATORS[type(node.op)]())
    if isinstance(node, ast.Compare) and type(node.ops[0]) in OPERATORS:
        yield "another comparison", _set("ops", [OPERATORS[type(node.ops[0])](), *node.ops[1:]])
    if isinstance(node, ast.IfExp):
        yield "a choice is turned round", _set("test", ast.UnaryOp(ast.Not(), node.test))
    if isinstance(node, ast.comprehension) and node.ifs:
        yield "a filter is left out", _set("ifs", node.ifs[1:])
    if isinstance(node, ast.Tuple | ast.List | ast.Set):
        yield from _edits_of_items(node)
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Tuple):
        items = node.slice.elts
        if len(items) == 2 and not any(isinstance(item, ast.Slice) for item in items):
            yield "indices in the wrong order", _swap_indices
    yield from _edits_of_name(node, words)


def _edits_of_call(node: ast.Call) -> Iterator[tuple[str, Edit]]:
    name = ast.unparse(node.func).rpartition(".")[2]
    for number, keyword in enumerate(node.keywords):
        if keyword.arg and keyword.arg != "strict":
            yield "an argument is not handed on", _without_keyword(number)
    if name == "range" and 1 <= len(node.args) <= 2:
        yield "the first step is left out", _later
        yield "the last step is left out", _earlier
    elif len(node.args) > 1 and name not in SYMMETRIC and not isinstance(node.args[0], ast.Starred):
        yield "arguments in the wrong order", _swap_arguments


def _edits_of_items(node: Any) -> Iterator[tuple[str, Edit]]:
    if len(node.elts) > 1 and all(isinstance(item, ast.Constant | ast.Name) for item in node.elts):
        if any(isinstance(item, ast.Constant) and item.value != "" for item in node.elts):
            for number in range(len(node.elts)):
                yield "an item is left out", _without_item(number)


def _edits_of_name(node: ast.AST, words: set[str]) -> Iterator[tuple[str, Edit]]:
    if isinstance(node, ast.Name) and TWINS.get(node.id) in words:
        if isinstance(node.ctx, ast.Load):
            yield "one taken for the other", _set("id", TWINS[node.id])
    if isinstance(node, ast.Attribute):
        if node.attr in TWINS and (TWINS[node.attr] in words or _is_numpy(node)):
            yield "one taken for the other", _set("attr", TWINS[node.attr])
        if node.attr == "T":
            yield "not transposed", lambda node: node.value
        if _option_of(node) and isinstance(node.ctx, ast.Load):
            yield "the default instead of the option", _default
    if isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield "another constant", _set("value", not node.value)
    elif isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        yield "another constant", _set("value", node.value + 1)


def _is_numpy(node: ast.Attribute) -> bool:
    return isinstance(node.value, ast.Name) and node.value.id == "np"


def _option_of(node: ast.Attribute) -> bool:
    """Whether this reads an option: a name of what holds options, and then names."""
    holder = node.value
    return (isinstance(holder, ast.Name) and holder.id in OPTIONS) or (
        isinstance(holder, ast.Attribute) and holder.attr in OPTIONS
    )


def _default(node: ast.Attribute) -> None:
    node.value = ast.Call(ast.Call(ast.Name("type"), [node.value], []), [], [])


def _set(name: str, value: Any) -> Edit:
    return lambda node: setattr(node, name, value)


def _without_keyword(number: int) -> Edit:
    def edit(node: ast.Call) -> None:
        del node.keywords[number]

    return edit


def _without_item(number: int) -> Edit:
    def edit(node: ast.Tuple) -> None:
        del node.elts[number]

    return edit


def _swap_arguments(node: ast.Call) -> None:
    node.args[0], node.args[1] = node.args[1], node.args[0]


def _swap_indices(node: ast.Subscript) -> None:
    node.slice = ast.Tuple(list(reversed(node.slice.elts)), ast.Load())  # type: ignore[attr-defined]


def _later(node: ast.Call) -> None:
    first = ast.BinOp(node.args[0], ast.Add(), ast.Constant(1)) if node.args[1:] else None
    node.args = [first or ast.Constant(1), node.args[-1]]


def _earlier(node: ast.Call) -> None:
    node.args[-1] = ast.BinOp(node.args[-1], ast.Sub(), ast.Constant(1))
