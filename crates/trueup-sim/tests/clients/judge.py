"""Judges an answer by AWS's own service models, as botocore ships them.

botocore's parsers take from an answer what they know and pass over the rest in silence. This reads the bytes on the wire
and knows no mercy: unknown members, wrong types, missing required members, values that no enumeration has, errors that
the operation does not declare.
"""

import base64
import json
import re
import xml.etree.ElementTree as ElementTree
from datetime import datetime

from botocore.parsers import RpcV2CBORParser

# Errors that any action may answer and no model lists (API references, "Common Errors").
COMMON = {
    "json": {
        "AccessDeniedException", "ClientException", "InvalidParameterException", "ServerException", "SerializationException",
        "ThrottlingException", "UnknownOperationException", "UnrecognizedClientException", "ValidationException",
        "ExpiredTokenException",
    },
    "query": {
        "AccessDenied", "InvalidAction", "InvalidParameterValue", "MissingParameter", "Throttling", "ThrottlingException", "ValidationError",
        "ExpiredToken",
    },
}

# Values that the model's documentation lists and its enumeration lacks.
DOCUMENTED = {
    # ECS API reference, ServiceDeployment, lifecycleStage.
    "ServiceDeploymentLifecycleStage": {"PRE_PRODUCTION_TRAFFIC_SHIFT"},
}


class Answer:
    """One answer: what it holds, by the API's own names, and in which ways it is not what AWS's model allows."""

    def __init__(self, operation, response):
        self.status = response["status_code"]
        self.violations = []
        self.code = None
        self.value = None
        self.shape = operation.output_shape
        body = response["body"]
        protocol = operation.service_model.resolved_protocol
        self.call = f"{operation.service_model.service_name}:{operation.name}"
        if self.status >= 300:
            self.code = self._error(operation, protocol, body)
            return
        shape = self.shape
        if protocol == "query":
            self.value = self._query(operation, shape, body)
        elif protocol == "smithy-rpc-v2-cbor":
            self.value = _cbor(body)
            self._json(self.value, shape, "")
        else:
            self.value = json.loads(body or b"{}")
            self._json(self.value, shape, "")

    def _wrong(self, path, text):
        self.violations.append(f"{self.call}: {path.lstrip('.') or 'the answer'}: {text}")

    # The JSON protocols

    def _json(self, value, shape, path):
        """Judges a value of a JSON answer; None for the shape means that there is no output."""
        if shape is None:
            if value:
                self._wrong(path, f"has members {sorted(value)}, but the operation has no output")
            return
        kind = shape.type_name
        if value is None:
            self._wrong(path, "is null")
        elif kind == "structure":
            if self._is(value, dict, path, kind):
                self._members(value, shape, path)
                for name in value.keys() & shape.members.keys():
                    self._json(value[name], shape.members[name], f"{path}.{name}")
        elif kind == "list":
            if self._is(value, list, path, kind):
                for item in value:
                    self._json(item, shape.member, f"{path}[]")
        elif kind == "map":
            if self._is(value, dict, path, kind):
                for key, item in value.items():
                    self._json(key, shape.key, f"{path}.<key>")
                    self._json(item, shape.value, f"{path}.{key}")
        elif kind == "string":
            if self._is(value, str, path, kind):
                self._enum(value, shape, path)
        elif kind == "boolean":
            self._is(value, bool, path, kind)
        elif kind in ("integer", "long"):
            if isinstance(value, bool) or not isinstance(value, int):
                self._wrong(path, f"{value!r} is no {kind}")
        elif kind in ("float", "double", "timestamp"):
            if isinstance(value, bool) or not isinstance(value, (int, float, datetime)):
                self._wrong(path, f"{value!r} is no {kind}")
        elif kind == "blob":
            self._is(value, str, path, kind)

    def _is(self, value, wanted, path, kind):
        if not isinstance(value, wanted):
            self._wrong(path, f"{value!r} is no {kind}")
        return isinstance(value, wanted)

    def _members(self, names, shape, path):
        unknown = sorted(set(names) - shape.members.keys())
        if unknown:
            self._wrong(path, f"unknown members {unknown}")
        missing = sorted(set(shape.required_members) - set(names))
        if missing:
            self._wrong(path, f"required members {missing} are missing")

    def _enum(self, value, shape, path):
        if shape.enum and value not in shape.enum and value not in DOCUMENTED.get(shape.name, ()):
            self._wrong(path, f"{value!r} is none of {shape.enum}")

    # The query protocol

    def _query(self, operation, shape, body):
        root = ElementTree.fromstring(body)
        namespace = operation.metadata.get("xmlNamespace") or operation.service_model.metadata.get("xmlNamespace")
        tag = f"{{{namespace}}}{operation.name}Response"
        if root.tag != tag:
            self._wrong("", f"the root is {root.tag!r}, not {tag!r}")
        prefix = root.tag.partition("}")[0] + "}"
        if root.find(f"{prefix}ResponseMetadata/{prefix}RequestId") is None:
            self._wrong("", "no request id")
        wrapper = shape and shape.serialization.get("resultWrapper")
        found = root.find(prefix + wrapper) if wrapper else None
        if wrapper and found is None:
            self._wrong("", f"no {wrapper!r}")
        return {} if found is None else self._element(found, shape, "")

    def _element(self, element, shape, path):
        """Reads an element as `shape`, judging it."""
        kind = shape.type_name
        children = [(child.tag.rpartition("}")[2], child) for child in element]
        if kind == "structure":
            names = {member.serialization.get("name", name): name for name, member in shape.members.items()}
            twice = sorted({tag for tag, _ in children if [t for t, _ in children].count(tag) > 1})
            if twice:
                self._wrong(path, f"{twice} stand twice")
            self._members([names.get(tag, tag) for tag, _ in children], shape, path)
            known = [(names[tag], child) for tag, child in children if tag in names]
            return {name: self._element(child, shape.members[name], f"{path}.{name}") for name, child in known}
        if kind == "list":
            wanted = shape.member.serialization.get("name", "member")
            for tag in sorted({tag for tag, _ in children if tag != wanted}):
                self._wrong(path, f"an item is called {tag!r}, not {wanted!r}")
            if (element.text or "").strip():
                self._wrong(path, f"text {element.text!r} in a list")
            return [self._element(child, shape.member, f"{path}[]") for _, child in children]
        if kind == "map":
            prefix = element.tag.partition("}")[0] + "}"
            pairs = [(child.findtext(f"{prefix}key"), child.find(f"{prefix}value")) for _, child in children]
            return {key: self._element(value, shape.value, f"{path}.{key}") for key, value in pairs}
        text = element.text or ""
        if children:
            self._wrong(path, f"elements {[tag for tag, _ in children]} in a {kind}")
        if kind == "string":
            self._enum(text, shape, path)
            return text
        try:
            return _SCALARS[kind](text)
        except (KeyError, ValueError):
            self._wrong(path, f"{text!r} is no {kind}")
            return text

    # Errors

    def _error(self, operation, protocol, body):
        """The error's code; judges it and the status."""
        if protocol == "query":
            try:
                root = ElementTree.fromstring(body)
            except ElementTree.ParseError:
                return "no XML"
            prefix = re.match(r"(\{.*\})?", root.tag).group()
            code = root.findtext(f"{prefix}Error/{prefix}Code")
            if not root.findtext(f"{prefix}RequestId") or not root.findtext(f"{prefix}Error/{prefix}Type"):
                self._wrong("", "an error without request id or type")
        else:
            try:
                value = _cbor(body) if protocol == "smithy-rpc-v2-cbor" else json.loads(body)
            except ValueError:
                return "no JSON"
            code = value.get("__type", "").rpartition("#")[2]
            if not isinstance(value.get("message", value.get("Message", "")), str):
                self._wrong("", "an error whose message is no text")
        declared = {shape.error_code: shape for shape in operation.error_shapes}
        declared |= {shape.name: shape for shape in operation.error_shapes}
        family = "query" if protocol == "query" else "json"
        if code not in declared and code not in COMMON[family]:
            self._wrong("", f"the error {code!r} is not declared: {sorted(declared)}")
        status = declared[code].metadata.get("error", {}).get("httpStatusCode") if code in declared else None
        if status and status != self.status:
            self._wrong("", f"the error {code!r} comes with {self.status}, not with {status}")
        return code


_SCALARS = {
    "integer": int,
    "long": int,
    "float": float,
    "double": float,
    "boolean": {"true": True, "false": False}.__getitem__,
    "timestamp": lambda text: datetime.fromisoformat(text.replace("Z", "+00:00")),
    "blob": lambda text: base64.b64decode(text, validate=True),
}


def _cbor(body):
    from io import BufferedReader, BytesIO

    return RpcV2CBORParser().parse_data_item(BufferedReader(BytesIO(body))) if body else {}
