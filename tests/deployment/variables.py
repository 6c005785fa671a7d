"""The environment variables that the settings read."""

import ast

from portal.embedded.paths import CHECKOUT

READERS = {"text", "boolean", "integer", "words"}


def read_by_settings() -> set[str]:
    """The names handed to portal.env's functions, and the embedded servers' own."""
    tree = ast.parse((CHECKOUT / "portal/settings.py").read_text())
    names = {
        call.args[0].value
        for call in ast.walk(tree)
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr in READERS
        and isinstance(call.func.value, ast.Name)
        and call.func.value.id == "env"
        and isinstance(call.args[0], ast.Constant)
    }
    return {name for name in names if isinstance(name, str)} | {"TRUNKLINE_STATE"}
