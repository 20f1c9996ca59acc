"""What the references share: lines of JSON, read with every member and every number kept as it is written."""

import json
import re


class Refused(Exception):
    """What is told of an input that is refused."""

    def __init__(self, kind, **details):
        super().__init__(kind)
        self.error = {"kind": kind, **details}


class Object(list):
    """The members of an object, all of them."""

    def get(self, name):
        return dict(self).get(name)

    def has(self, name):
        return name in dict(self)


class Number(str):
    """A number as it is written."""


def refuse_constant(name):
    raise ValueError(name)


DECODER = json.JSONDecoder(
    object_pairs_hook=Object, parse_int=Number, parse_float=Number, parse_constant=refuse_constant
)


def read_json(text):
    text = text.strip(" \t\r\n")
    value, end = DECODER.raw_decode(text)
    if end != len(text):
        raise ValueError(end)
    return value


def is_text(value):
    """A string, with no half of a surrogate pair alone in it."""
    return type(value) is str and not any("\ud800" <= char <= "\udfff" for char in value)


def is_object(text):
    try:
        return isinstance(read_json(text), Object)
    except ValueError:
        return False


def raw_member(text, name):
    """The text of a member of an object, the last of that name."""
    found, at = None, skip_space(text, 1)
    while text[at] != "}":
        member, at = json.decoder.scanstring(text, at + 1)
        begin = skip_space(text, skip_space(text, at) + 1)
        _, end = DECODER.raw_decode(text, begin)
        if member == name:
            found = text[begin:end]
        at = skip_space(text, end)
        if text[at] == ",":
            at = skip_space(text, at + 1)
    return found


def skip_space(text, at):
    return re.compile(r"[ \t\r\n]*").match(text, at).end()


def compact(text):
    return re.sub(r'("(?:[^"\\]|\\.)*")|[ \t\r\n]+', r"\1", text)


def payload_of(line, text=None):
    """The bytes of the payload of an input; given the text of the line, it may also be an object."""
    payload, digits = line.get("payload"), line.get("payloadHex")
    if text is not None and isinstance(payload, Object):
        payload = compact(raw_member(text, "payload"))
    if payload is not None and not is_text(payload):
        raise Refused("BadInput", field="payload")
    if digits is not None and not is_text(digits):
        raise Refused("BadInput", field="payloadHex")
    if payload is not None and digits is not None:
        raise Refused("BadInput")
    if payload is not None:
        return payload.encode()
    if digits is None:
        raise Refused("BadInput", field="payload")
    if len(digits) % 2 or not re.fullmatch("[0-9A-Fa-f]*", digits):
        raise Refused("BadInput", field="payloadHex")
    return bytes.fromhex(digits)
