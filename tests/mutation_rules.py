"""Rules that turn a line of code into a wrong one: the kinds of errors that glue code breeds."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any, NamedTuple

Edit = Callable[[Any], None]

_PAIRS = (
    *(("source", "target"), ("SOURCE", "TARGET"), ("forward", "backward"), ("W", "A")),
    *(("E_s", "E_t"), ("A_s", "A_t"), ("W_s", "W_t"), ("rows", "words"), ("min", "max")),
)
TWINS = dict(_PAIRS) | {there: here for here, there in _PAIRS}
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


class Mutant(NamedTuple):
    """One statement made wrong."""

    rule: str
    old: str  # whole lines, which stand once in the module
    new: str


def mutants_of(source: str) -> list[Mutant]:
    """Every mutant of the statements inside a module's functions.

    Docstrings, imports, signatures and errors that are raised are left alone.
    """
    lines = source.splitlines(keepends=True)
    found: dict[tuple[str, str], Mutant] = {}
    for statement in _statements(ast.parse(source)):
        end = statement.test.end_lineno if isinstance(statement, ast.If) else statement.end_lineno
        old = "".join(lines[statement.lineno - 1 : end])
        if source.count(old) != 1:
            continue
        lead = old[: len(old) - len(old.lstrip())]
        for rule, text in (
            _turned(statement, old) if isinstance(statement, ast.If) else _changed(statement)
        ):
            new = "".join(f"{lead}{line}\n" for line in text.splitlines())
            found.setdefault((old, new), Mutant(rule, old, new))
    return list(found.values())


def _statements(tree: ast.Module) -> Iterator[ast.Assign | ast.AugAssign | ast.Return | Any]:
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef):
            for node in ast.walk(function):
                is_text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
                kinds = ast.Assign | ast.AugAssign | ast.Return | ast.Expr | ast.If
                if isinstance(node, kinds) and not is_text:
                    yield node


def _turned(statement: ast.If, old: str) -> Iterator[tuple[str, str]]:
    word = "elif" if old.lstrip().startswith("elif") else "if"
    yield "a condition is turned round", f"{word} not ({ast.unparse(statement.test)}):"
    yield "a condition always holds", f"{word} True:"


def _changed(statement: ast.stmt) -> Iterator[tuple[str, str]]:
    if isinstance(statement, ast.AugAssign | ast.Expr):
        yield "a statement is left out", "pass"
    if isinstance(statement, ast.AugAssign):
        plain = ast.Assign([statement.target], statement.value, lineno=1)
        yield "assigned instead of added", ast.unparse(plain)
    for number, node in enumerate(ast.walk(statement)):
        for rule, edit in _edits(node):
            copy = deepcopy(statement)
            edit(list(ast.walk(copy))[number])
            yield rule, ast.unparse(copy)


def _edits(node: ast.AST) -> Iterator[tuple[str, Edit]]:
    if isinstance(node, ast.Call):
        for number, keyword in enumerate(node.keywords):
            if keyword.arg:
                yield "an argument is not handed on", _without_keyword(number)
        if len(node.args) > 1:
            yield "arguments in the wrong order", _swap_arguments
    if isinstance(node, ast.BinOp | ast.BoolOp | ast.UnaryOp) and type(node.op) in OPERATORS:
        yield "another operator", _set("op", OPERATORS[type(node.op)]())
    if isinstance(node, ast.Compare) and type(node.ops[0]) in OPERATORS:
        yield "another comparison", _set("ops", [OPERATORS[type(node.ops[0])](), *node.ops[1:]])
    if isinstance(node, ast.IfExp):
        yield "a choice is turned round", _set("test", ast.UnaryOp(ast.Not(), node.test))
    if isinstance(node, ast.comprehension) and node.ifs:
        yield "a filter is left out", _set("ifs", node.ifs[1:])
    if isinstance(node, ast.Name) and node.id in TWINS and isinstance(node.ctx, ast.Load):
        yield "one taken for the other", _set("id", TWINS[node.id])
    if isinstance(node, ast.Attribute) and node.attr in TWINS:
        yield "one taken for the other", _set("attr", TWINS[node.attr])
    if isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield "another constant", _set("value", not node.value)
    elif isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        yield "another constant", _set("value", node.value + 1)


def _set(name: str, value: Any) -> Edit:
    return lambda node: setattr(node, name, value)


def _without_keyword(number: int) -> Edit:
    return lambda node: node.keywords.pop(number)


def _swap_arguments(node: ast.Call) -> None:
    node.args[0], node.args[1] = node.args[1], node.args[0]
