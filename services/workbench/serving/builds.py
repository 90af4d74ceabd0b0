"""Building a model: its script is checked, and not executed."""

import ast
from collections.abc import Iterator
from pathlib import Path


def fault(project: Path, file_path: str, function: str) -> str | None:
    """Returns the reason why `function` of the script `file_path` cannot be served; None if it can.

    A relative path lies in the project.
    """
    if not file_path:
        return "file_path: a script must be named"
    if not function.isidentifier():
        return f"function_name: {function!r} is not the name of a function"
    script = project / file_path
    try:
        tree = ast.parse(script.read_bytes(), file_path)
    except OSError as error:
        return f"file_path: {file_path}: {error.strerror}"
    except (SyntaxError, ValueError) as error:
        return f"file_path: {file_path} is not a Python script: {error}"
    if function in set(_names(tree.body)):
        return None
    return f"function_name: {file_path} defines no {function} at its top level"


def _names(body: list[ast.stmt]) -> Iterator[str]:
    """Names that the statements define: functions, classes, variables, imports."""
    for statement in body:
        match statement:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.Assign(targets=targets):
                yield from (target.id for target in targets if isinstance(target, ast.Name))
            case ast.AnnAssign(target=ast.Name(id=name)):
                yield name
            case ast.Import(names=names) | ast.ImportFrom(names=names):
                yield from (alias.asname or alias.name for alias in names)
            case ast.If(body=first, orelse=second):
                yield from _names([*first, *second])
            case ast.Try(body=first, orelse=second, finalbody=third):
                yield from _names([*first, *second, *third])
