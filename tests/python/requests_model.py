"""Judges a recorded request by AWS's own service models, as botocore ships them.

This is the second judge beside moto, which accepts members that AWS does not have. It shares no code with trueup.
"""

import base64
import json
import re
from functools import cache
from urllib.parse import parse_qsl

import botocore.session
from botocore.model import OperationNotFoundError
from botocore.validate import ParamValidator

# The services that trueup speaks with: botocore's name for each.
SERVICES = ("application-autoscaling", "cloudtrail", "ecs", "elbv2", "cloudformation", "sts", "ecr", "secretsmanager", "ssm")


class Violation(Exception):
    """A request that cannot be read as what it says it is."""


@cache
def _models():
    session = botocore.session.Session()
    return {name: session.get_service_model(name) for name in SERVICES}


def read(request):
    """Gives `(service, operation, input)` of a request, the input in the API's own JSON spelling.

    Raises Violation when the request is not one of a known service, or holds something that its input shape lacks.
    """
    target = request["headers"].get("x-amz-target")
    return _read_json(request, target) if target else _read_query(request)


def violations(request):
    """Lists in which ways a request is not what AWS's model allows: texts, none when it is."""
    try:
        service, operation, params = read(request)
    except Violation as error:
        return [str(error)]
    shape = _models()[service].operation_model(operation).input_shape
    report = ParamValidator().validate(params, shape)
    found = report.generate_report().splitlines() if report.has_errors() else []
    found += _beyond_botocore(params, shape, "")
    return [f"{service}:{operation}: {text}" for text in found]


def names(request):
    """Gives `(service, operation)` of a request without looking at the rest; Nones when it has none."""
    target = request["headers"].get("x-amz-target")
    if target:
        prefix, _, operation = target.rpartition(".")
        return next((name for name, model in _models().items() if _has_prefix(model, prefix)), None), operation
    pairs = dict(parse_qsl(request["body"], keep_blank_values=True))
    version, operation = pairs.get("Version"), pairs.get("Action")
    for name, model in _models().items():
        if model.metadata["protocol"] == "query" and model.api_version == version and operation in model.operation_names:
            return name, operation
    return None, operation


def _has_prefix(model, prefix):
    """CloudTrail's has dots of its own in botocore, and is the last part of that in the SDK for Rust."""
    known = model.metadata.get("targetPrefix", "")
    return prefix in (known, known.rpartition(".")[2])


def signing_name(service):
    """Gives the name that a service is signed for, which is also the prefix of its actions in IAM."""
    return _models()[service].signing_name


def _read_json(request, target):
    service, operation = names(request)
    if service is None:
        raise Violation(f"no known service has the target {target!r}")
    model = _models()[service]
    expected = f"application/x-amz-json-{model.metadata['jsonVersion']}"
    if request["headers"].get("content-type") != expected:
        raise Violation(f"{target}: content type {request['headers'].get('content-type')!r}, not {expected!r}")
    _operation(model, operation)
    try:
        params = json.loads(request["body"])
    except ValueError as error:
        raise Violation(f"{target}: the body is not JSON: {error}") from error
    return service, operation, params


def _read_query(request):
    service, operation = names(request)
    if service is None:
        raise Violation(f"no known service has the action {operation!r} in the version asked for")
    pairs = parse_qsl(request["body"], keep_blank_values=True)
    members = {}
    for name, value in pairs:
        if name in members:
            raise Violation(f"{service}:{operation}: {name!r} stands twice")
        members[name] = value
    del members["Action"], members["Version"]
    tree = {}
    for name, value in members.items():
        _plant(tree, name.split("."), value, name)
    shape = _operation(_models()[service], operation).input_shape
    if shape is None:
        if tree:
            raise Violation(f"{service}:{operation}: takes no members, has {sorted(tree)}")
        return service, operation, {}
    return service, operation, _grow(tree, shape, f"{service}:{operation}")


def _operation(model, operation):
    try:
        return model.operation_model(operation)
    except OperationNotFoundError as error:
        raise Violation(str(error)) from error


def _plant(tree, path, value, name):
    """Puts one `a.member.1.b=value` into a tree of dictionaries."""
    for part in path[:-1]:
        tree = tree.setdefault(part, {})
        if not isinstance(tree, dict):
            raise Violation(f"{name!r} goes into a plain value")
    if path[-1] in tree:
        raise Violation(f"{name!r} contradicts another member")
    tree[path[-1]] = value


def _grow(tree, shape, place):
    """Reads a tree of the query protocol as `shape`: the protocol's own words replaced, scalars in their types."""
    kind = shape.type_name
    if kind == "structure":
        by_name = {member.serialization.get("name", name): (name, member) for name, member in shape.members.items()}
        if not isinstance(tree, dict):
            raise Violation(f"{place}: a plain value instead of a structure")
        unknown = sorted(set(tree) - set(by_name))
        if unknown:
            raise Violation(f"{place}: unknown members {unknown}")
        return {by_name[k][0]: _grow(v, by_name[k][1], f"{place}.{k}") for k, v in tree.items()}
    if kind == "list":
        if tree == "":
            return []
        items = tree if shape.serialization.get("flattened") else _only(tree, _name(shape.member, "member"), place)
        return [_grow(item, shape.member, f"{place}[{i}]") for i, item in enumerate(_numbered(items, place))]
    if kind == "map":
        entries = tree if shape.serialization.get("flattened") else _only(tree, "entry", place)
        key, value = _name(shape.key, "key"), _name(shape.value, "value")
        return {entry[key]: _grow(entry[value], shape.value, place) for entry in _numbered(entries, place)}
    if isinstance(tree, dict):
        raise Violation(f"{place}: members {sorted(tree)} instead of a plain value")
    try:
        return _SCALARS.get(kind, str)(tree)
    except (KeyError, ValueError) as error:
        raise Violation(f"{place}: {tree!r} is not a {kind}") from error


_SCALARS = {
    "integer": int,
    "long": int,
    "float": float,
    "double": float,
    "boolean": {"true": True, "false": False}.__getitem__,
    "blob": lambda text: base64.b64decode(text, validate=True),
}


def _name(shape, default):
    return shape.serialization.get("name", default)


def _only(tree, name, place):
    if not isinstance(tree, dict) or set(tree) != {name}:
        raise Violation(f"{place}: expected {name!r} and nothing else")
    return tree[name]


def _numbered(items, place):
    if not isinstance(items, dict) or set(items) != {str(n + 1) for n in range(len(items))}:
        raise Violation(f"{place}: items are not numbered 1, 2, 3, …")
    return [items[str(n + 1)] for n in range(len(items))]


def _beyond_botocore(value, shape, place):
    """What AWS's model says and ParamValidator leaves to the service: enumerations, upper limits, patterns."""
    kind = shape.type_name
    if kind == "structure" and isinstance(value, dict):
        known = [(name, member) for name, member in value.items() if name in shape.members]
        return [text for name, member in known for text in _beyond_botocore(member, shape.members[name], f"{place}.{name}")]
    if kind == "list" and isinstance(value, list):
        found = [t for i, item in enumerate(value) for t in _beyond_botocore(item, shape.member, f"{place}[{i}]")]
        return found + _too_much(len(value), "items", shape, place)
    if kind == "map" and isinstance(value, dict):
        found = [text for k, v in value.items() for text in _beyond_botocore(v, shape.value, f"{place}.{k}")]
        return found + _too_much(len(value), "entries", shape, place)
    if kind == "string" and isinstance(value, str):
        found = _too_much(len(value), "characters", shape, place)
        if shape.enum and value not in shape.enum:
            found.append(f"{place}: {value!r} is none of {shape.enum}")
        pattern = shape.metadata.get("pattern")
        if pattern and not _matches(pattern, value):
            found.append(f"{place}: {value!r} does not match {pattern!r}")
        return found
    if kind in ("integer", "long") and isinstance(value, bool):
        return [f"{place}: a truth value instead of a number"]
    if kind in ("integer", "long", "float", "double") and isinstance(value, (int, float)):
        return _too_much(value, "", shape, place)
    return []


def _too_much(size, unit, shape, place):
    limit = shape.metadata.get("max")
    return [f"{place}: {size} {unit}, at most {limit}"] if limit is not None and size > limit else []


def _matches(pattern, value):
    """Patterns in the models are Java's; one that Python cannot read judges nothing."""
    try:
        return re.search(f"^(?:{pattern})$", value) is not None
    except re.error:
        return True
