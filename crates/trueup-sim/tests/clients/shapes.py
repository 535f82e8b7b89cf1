"""Reduces answers to their shapes, and compares two."""

from datetime import datetime

ABSENT = "absent"


def outline(answer):
    """The shape of an answer: the kinds of value at each path, `[]` being any item of a list and `{}` any entry of a map.

    An error is its status and code.
    """
    if answer.code:
        return {"error": {f"{answer.status} {answer.code}"}}
    found = {}
    _outline(answer.value, answer.shape, "", found)
    return found


def _outline(value, shape, path, found):
    if isinstance(value, dict):
        is_map = shape is not None and shape.type_name == "map"
        found.setdefault(path, set()).add("map" if is_map else "structure")
        for name, item in value.items():
            members = getattr(shape, "members", {})
            below = shape.value if is_map else members.get(name)
            _outline(item, below, path + "{}" if is_map else f"{path}.{name}".lstrip("."), found)
    elif isinstance(value, list):
        found.setdefault(path, set()).add("list")
        for item in value:
            _outline(item, getattr(shape, "member", None), f"{path}[]", found)
    else:
        found.setdefault(path, set()).add(_kind(value))


def _kind(value):
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, (int, float)):
        return "number"
    return "timestamp" if isinstance(value, datetime) else "string"


def differences(one, other):
    """Where two outlines differ: `(path, kinds in one, kinds in the other)`. What lies below a difference is left out."""
    if ("error" in one) != ("error" in other):
        return [("error", _shown(one.get("error", {"none"})), _shown(other.get("error", {"none"})))]
    found = {}
    for path in sorted(one.keys() | other.keys()):
        kinds = [_shown(side.get(path, {ABSENT})) for side in (one, other)]
        if kinds[0] != kinds[1] and not any(_below(path, known) for known in found):
            found[path] = kinds
    return [(path, *kinds) for path, kinds in found.items()]


def _below(path, other):
    return path.startswith((f"{other}.", f"{other}[]", f"{other}{{}}")) or (other == "" and path != "")


def _shown(kinds):
    return " or ".join(sorted(kinds))
