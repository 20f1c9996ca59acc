"""What SNS delivers for Alexa Smart Properties, read and verified from the specification alone.

Where the specification is silent this takes the crate's side: a name that an object has twice is found before anything
is looked for in it, and one with half of a surrogate pair makes it no object; members are read in the order of `read`;
null is absent where a member may be; an event's length goes first and it may have neither header nor payload twice; the
version of a signature is looked at before the topic, and the key when a certificate is read.
"""

import base64
import hashlib
import re
from unicodedata import category

from json_lines import Object, Refused, compact, is_text, raw_member, read_json

MAX_EVENT, MAX_DEPTH, MAX_TEXT, MAX_RECORDS, MAX_URL, MAX_SKEW = 262_144, 32, 256, 10_000, 512, 300_000
KINDS = {
    ("Alexa.Enterprise.Subscription", "Activation"): "Activation",
    ("Alexa.Automation.Execution", "Completion"): "Completion",
    ("Alexa.Skill.Interaction", "Failure"): "Failure",
    ("Alexa.Role.Management", "Assignment"): "Assignment",
    ("Alexa.Role.Management", "Revocation"): "Revocation",
    ("Alexa.Endpoint.Lifecycle", "SetupCompletion"): "SetupCompletion",
}
NOTIFICATION, CONFIRMATIONS = "Notification", ("SubscriptionConfirmation", "UnsubscribeConfirmation")
UUID = re.compile("[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}")
REGION = re.compile("[a-z]{2,4}(-[a-z]+){1,2}-[0-9]{1,2}")
DOMAINS = {"aws": "amazonaws.com", "aws-us-gov": "amazonaws.com", "aws-cn": "amazonaws.com.cn"}
OPT_IN = "ap-east-1 ap-east-2 ap-south-2 ap-southeast-3 ap-southeast-4 ap-southeast-5 ap-southeast-6 ap-southeast-7 "
OPT_IN += "me-south-1 me-central-1 eu-south-1 eu-south-2 eu-central-2 af-south-1 il-central-1 ca-west-1 mx-central-1"


def is_control(char):
    return category(char) == "Cc"


def is_string(value):
    """As JSON has it, which may be no text."""
    return type(value) is str


def is_array(value):
    return isinstance(value, list) and not isinstance(value, Object)


def names_of(value):
    return [name for name, _ in value]


def has_twice(value):
    names = names_of(value)
    return len(set(names)) < len(names)


def read_object(body):
    """The object that is this body, if it is one, and its text."""
    try:
        text = body.decode().strip(" \t\r\n")
        value = read_json(text)
    except ValueError:
        return None, None
    is_read = isinstance(value, Object) and all(is_text(name) for name in names_of(value))
    return (value, text) if is_read else (None, None)


# Section 3.


def read_event(body):
    """What is told of it: the event and what is odd about it."""
    if len(body) > MAX_EVENT:
        raise Refused("TooLong")
    try:
        text = body.decode().strip(" \t\r\n")
        event = read_json(text)
    except ValueError as error:
        raise Refused("Malformed") from error
    if not isinstance(event, Object):
        raise Refused("NotAnObject")
    if depth(event) > MAX_DEPTH:
        raise Refused("TooDeep")
    if not all(is_text(name) for name in names_of(event)):
        raise Refused("UnpairedSurrogate")
    if any(names_of(event).count(name) > 1 for name in ("header", "payload")):
        raise Refused("DuplicateMember")
    header = member(event, "", "header", Object)
    check_names(header)
    event_id = member(member(header, "/header", "eventId", Object), "/header/eventId", "id", str)
    check(event_id, "/header/eventId/id", not any(is_control(char) for char in event_id))
    types, pointer = member(header, "/header", "eventType", Object), "/header/eventType"
    namespace = member(types, pointer, "namespace", str)
    check(namespace, pointer + "/namespace", re.fullmatch("[A-Za-z0-9.]*", namespace))
    name = member(types, pointer, "name", str)
    check(name, pointer + "/name", re.fullmatch("[A-Za-z0-9.]*", name))
    version = member(header, "/header", "version", str)
    timestamp, warnings = None, []
    if header.has("eventTime"):
        time = header.get("eventTime")
        if not isinstance(time, Object):
            warnings.append("BadTimestamp")
        elif time.has("timestamp"):
            timestamp = time.get("timestamp") if is_text(time.get("timestamp")) else None
            if timestamp is None or millis(timestamp) is None:
                warnings.append("BadTimestamp")
    if header.has("entities"):
        for entity, value in member(header, "/header", "entities", Object):
            if not isinstance(value, Object):
                is_plain = re.fullmatch("[A-Za-z0-9]{1,32}", entity)
                raise Refused("WrongType", **({"field": "/header/entities/" + entity} if is_plain else {}))
    payload = "{}"
    if event.has("payload"):
        member(event, "", "payload", Object)
        payload = compact(raw_member(text, "payload"))
    else:
        warnings.append("MissingPayload")
    kind = KINDS.get((namespace, name), "Unknown") if version == "2.0" else "Unknown"
    told = {"kind": kind, "namespace": namespace, "name": name, "eventId": event_id, "timestamp": timestamp}
    return {**told, "payload": payload}, warnings


def depth(value):
    if not isinstance(value, list):
        return 0
    inner = [element for _, element in value] if isinstance(value, Object) else value
    return 1 + max(map(depth, inner), default=0)


def check_names(value):
    if not isinstance(value, list):
        return
    for element in value:
        if isinstance(value, Object):
            name, element = element
            if not is_text(name):
                raise Refused("UnpairedSurrogate")
        check_names(element)
    if isinstance(value, Object) and has_twice(value):
        raise Refused("DuplicateMember")


def member(value, pointer, name, expected):
    pointer += "/" + name
    if not value.has(name):
        raise Refused("Missing", field=pointer)
    found = value.get(name)
    if type(found) is not expected:
        raise Refused("WrongType", field=pointer)
    if expected is str and not is_text(found):
        raise Refused("UnpairedSurrogate", field=pointer)
    return found


def check(text, pointer, is_good):
    if text == "":
        raise Refused("Empty", field=pointer)
    if len(text.encode()) > MAX_TEXT:
        raise Refused("TooLong", field=pointer)
    if not is_good:
        raise Refused("BadCharacter", field=pointer)


def millis(text):
    """The moment of a date and time of RFC 3339, rounded toward the past."""
    digits = r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]+))?"
    found = re.fullmatch(digits + "(?:[Zz]|([+-])([0-9]{2}):([0-9]{2}))", text)
    if not found:
        return None
    year, month, day, hour, minute, second = (int(part) for part in found.groups()[:6])
    fraction, sign, hours, minutes = found.groups()[6:]
    lengths = [31, 29 if year % 4 == 0 and (year % 100 or year % 400 == 0) else 28, 31, 30, 31, 30]
    lengths += [31, 31, 30, 31, 30, 31]
    if not 1 <= month <= 12 or not 1 <= day <= lengths[month - 1] or hour > 23 or minute > 59 or second > 60:
        return None
    if sign and (int(hours) > 23 or int(minutes) > 59):
        return None
    before = year - 1
    days = before * 365 + before // 4 - before // 100 + before // 400 + sum(lengths[: month - 1]) + day - 719_163
    offset = (int(hours) * 60 + int(minutes)) * (-1 if sign == "-" else 1) if sign else 0
    # A leap second is the one before it.
    seconds = ((days * 24 + hour) * 60 + minute - offset) * 60 + min(second, 59)
    return seconds * 1_000 + int((fraction or "")[:3].ljust(3, "0"))


# Section 4.


def classify(body, via, headers=(), handle=None):
    """What was delivered: each message in its envelope, or raw, as `handle` answers it."""
    said = {}
    for name, value in headers if via == "http" else ():
        said.setdefault(name.lower() if name.isascii() else name, set()).add(value)
    is_raw = any(value.lower() == "true" for value in said.get("x-amz-sns-rawdelivery", ()))
    if is_raw:
        return handle(None, raw(body, via))
    members, _ = read_object(body)
    if members is None:
        if via == "sqs":
            return handle(None, raw(body, via))
        raise Refused("NotAnObject")
    if has_twice(members):
        raise Refused("DuplicateMember")
    if is_array(members.get("Records")):
        records = members.get("Records")
        if len(records) > MAX_RECORDS:
            raise Refused("TooManyRecords", limit=MAX_RECORDS)
        return [outcome(lambda: read_record(record, index, via, handle)) for index, record in enumerate(records)]
    if all(is_string(members.get(name)) for name in ("Type", "MessageId", "TopicArn", "Message")):
        envelope = read(members)
        for header, name, field in (("type", "Type", "type"), ("id", "MessageId", "id"), ("arn", "TopicArn", "topic")):
            header = "x-amz-sns-topic-arn" if header == "arn" else "x-amz-sns-message-" + header
            if said.get(header, {envelope[name]}) != {envelope[name]}:
                raise Refused("HeaderMismatch", field=field)
        return handle(envelope, None)
    is_event = isinstance(members.get("header"), Object) and isinstance(members.get("payload"), Object)
    if is_event and not members.has("Type"):
        return handle(None, raw(body, via))
    raise Refused("Unrecognised")


def outcome(judge):
    try:
        return {"ok": judge()}
    except Refused as refused:
        return {"error": refused.error}


def raw(body, via):
    if via == "http":
        raise Refused("RawRejected")
    if len(body) > MAX_EVENT:
        raise Refused("TooLong", limit=MAX_EVENT)
    return body


def read_record(record, index, via, handle):
    if not isinstance(record, Object):
        raise Refused("UnknownRecord", index=index)
    if not all(is_text(name) for name in names_of(record)):
        raise Refused("NotAnObject")
    if has_twice(record):
        raise Refused("DuplicateMember")
    message_id, body = record.get("messageId"), record.get("body")
    known = {"itemIdentifier": message_id} if is_text(message_id) else {}
    try:
        if isinstance(record.get("Sns"), Object):
            return {**handle(read(record.get("Sns")), None), **known}
        if record.get("eventSource") != "aws:sqs" or not is_string(body):
            raise Refused("UnknownRecord", index=index)
        if not is_text(body):
            raise Refused("UnpairedSurrogate", field="body")
        # A queue it is, but what may be raw is decided by the way that all of it came.
        members, _ = read_object(body.encode())
        if members is None:
            return {**handle(None, raw(body.encode(), via)), **known}
        if not has_twice(members) and is_array(members.get("Records")):
            raise Refused("NestedRecord")
        return {**classify(body.encode(), "http" if via == "http" else "sqs", (), handle), **known}
    except Refused as refused:
        refused.error.update(known)
        raise


def read(members):
    """The message in its envelope: the members that have a meaning, each a text."""
    if not all(is_text(name) for name in names_of(members)):
        raise Refused("NotAnObject")
    if has_twice(members):
        raise Refused("DuplicateMember")
    kind = required(members, "Type")
    if kind not in (NOTIFICATION, *CONFIRMATIONS):
        raise Refused("UnknownType")
    envelope = {"Type": kind}
    if kind == NOTIFICATION:
        envelope["Subject"] = optional(members, "Subject")
        either(members, "UnsubscribeURL")
        attributes = members.get("MessageAttributes")
        if attributes is not None and not isinstance(attributes, Object):
            raise Refused("WrongType", field="MessageAttributes")
    names = ["MessageId", "TopicArn", "Message", "Timestamp"]
    for name in names if kind == NOTIFICATION else ["Token", "SubscribeURL", *names]:
        envelope[name] = required(members, name)
    signature = [optional(members, name) for name in ("SignatureVersion", "Signature")]
    signature.append(either(members, "SigningCertURL"))
    if signature == [None, None, None]:
        raise Refused("Unsigned")
    for name, value in zip(("SignatureVersion", "Signature", "SigningCertURL"), signature):
        if value is None:
            raise Refused("Missing", field=name)
        envelope[name] = value
    for name in ("MessageId", "TopicArn", "Subject", "Timestamp", "Token", "SubscribeURL"):
        if any(is_control(char) for char in envelope.get(name) or ""):
            raise Refused("ControlCharacter", field=name)
    if not UUID.fullmatch(envelope["MessageId"]):
        raise Refused("BadMessageId")
    return envelope


def required(members, name):
    if not members.has(name):
        raise Refused("Missing", field=name)
    return text(members, name, name)


def optional(members, name, field=None):
    return None if members.get(name) is None else text(members, name, field or name)


def either(members, name):
    values = [optional(members, name), optional(members, name.replace("URL", "Url"), name)]
    values = [value for value in values if value is not None]
    if len(set(values)) > 1:
        raise Refused("ConflictingMember", field=name)
    return values[0] if values else None


def text(members, name, field):
    value = members.get(name)
    if not is_string(value):
        raise Refused("WrongType", field=field)
    if not is_text(value):
        raise Refused("UnpairedSurrogate", field=field)
    return value


# Section 5.


def string_to_sign(envelope):
    names = ["Message", "MessageId", "Subject", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
    return "".join(f"{name}\n{envelope[name]}\n" for name in names if envelope.get(name) is not None)


def check_url(url, topic):
    """The partition and the region of the topic, where the URL leads."""
    if not re.fullmatch("[!-~]*", url) or len(url) > MAX_URL:
        raise Refused("BadCharacters")
    if not url.startswith("https://"):
        raise Refused("NotHttps")
    authority, slash, path = url[8:].partition("/")
    if not slash:
        raise Refused("BadPath")
    if any(char in "@:?#\\%" for char in authority):
        raise Refused("BadAuthority")
    fields = topic.split(":")
    if len(fields) != 6 or fields[0] != "arn" or fields[2] != "sns":
        raise Refused("BadTopicArn")
    partition, region, account, name = fields[1], *fields[3:]
    if partition not in DOMAINS:
        raise Refused("UnknownPartition")
    is_named = re.fullmatch(r"[A-Za-z0-9_-]+(\.fifo)?", name) and len(name) <= 256
    if not REGION.fullmatch(region) or not re.fullmatch("[0-9]{12}", account) or not is_named:
        raise Refused("BadTopicArn")
    if authority != f"sns.{region}.{DOMAINS[partition]}":
        raise Refused("HostMismatch")
    if not re.fullmatch("SimpleNotificationService-[0-9a-f]{32}\\.pem", path):
        raise Refused("BadPath")
    return partition, region


def signing_name(partition, region):
    if region in OPT_IN.split():
        return f"sns-signing.{region}.amazonaws.com"
    if region in ("us-gov-west-1", "us-gov-east-1"):
        return "sns-us-gov-west-1.amazonaws.com"
    if region in ("cn-north-1", "cn-northwest-1"):
        return f"sns-{region}.amazonaws.com.cn"
    return "sns." + DOMAINS[partition]


def verify(envelope, line):
    if envelope["SignatureVersion"] not in ("1", "2"):
        raise Refused("UnsupportedVersion")
    if envelope["TopicArn"] != (line["topicArn"] if line["topicArn"] is not None else envelope["TopicArn"]):
        raise Refused("TopicNotAllowed")
    place = check_url(envelope["SigningCertURL"], envelope["TopicArn"])
    certificate = Certificate(line["certificatePem"])
    if line["now"] < certificate.not_before:
        raise Refused("NotYetValid", notBefore=certificate.not_before)
    if line["now"] > certificate.not_after:
        raise Refused("Expired", notAfter=certificate.not_after)
    if signing_name(*place) not in certificate.names:
        raise Refused("WrongName")
    try:
        signature = base64.b64decode(envelope["Signature"].encode(), validate=True)
    except ValueError as error:
        raise Refused("BadBase64") from error
    if base64.b64encode(signature).decode() != envelope["Signature"]:
        raise Refused("BadBase64")
    size = (certificate.modulus.bit_length() + 7) // 8
    if len(signature) != size:
        raise Refused("BadLength", len=len(signature), expected=size)
    signed = string_to_sign(envelope)
    number = int.from_bytes(signature, "big")
    padded = pow(number, certificate.exponent, certificate.modulus).to_bytes(size, "big")
    if number >= certificate.modulus or padded != pad(signed, envelope["SignatureVersion"], size):
        raise Refused("BadSignature")
    sent = millis(envelope["Timestamp"])
    if sent is None:
        if line["maxAgeMs"] is not None:
            raise Refused("BadTimestamp")
    elif sent - line["now"] > MAX_SKEW:
        raise Refused("FromTheFuture", aheadMs=sent - line["now"])
    elif line["maxAgeMs"] is not None and line["now"] - sent > line["maxAgeMs"]:
        raise Refused("TooOld", ageMs=line["now"] - sent)
    return {"signatureVersion": envelope["SignatureVersion"], "stringToSign": signed}


def pad(signed, version, size):
    """What an RSA signature is over: PKCS#1 version 1.5."""
    prefix = {"1": "3021300906052b0e03021a05000414", "2": "3031300d060960864801650304020105000420"}[version]
    digest = (hashlib.sha1 if version == "1" else hashlib.sha256)(signed.encode()).digest()
    digest = bytes.fromhex(prefix) + digest
    return b"\0\1" + b"\xff" * (size - len(digest) - 3) + b"\0" + digest


class Certificate:
    """The first certificate of a PEM text."""

    def __init__(self, pem):
        found = re.search("-----BEGIN CERTIFICATE-----\r?\n([A-Za-z0-9+/=\r\n]*?)\r?\n?-----END CERTIFICATE-----", pem)
        try:
            self.read(base64.b64decode(found[1].replace("\r", "").replace("\n", ""), validate=True))
        except (ValueError, IndexError, TypeError) as error:
            raise Refused("Malformed") from error

    def read(self, der):
        (tag, whole), = elements(der)
        tbs = elements(whole)[0][1]
        fields = [field for field in elements(tbs) if field[0] != 0xA0]
        validity, subject, spki = (elements(fields[index][1]) for index in (3, 4, 5))
        self.not_before, self.not_after = (time(*moment) for moment in validity)
        algorithm, key = elements(spki[0][1])[0][1], spki[1][1][1:]
        if algorithm != RSA_ENCRYPTION:
            raise Refused("NotRsa")
        numbers = [int.from_bytes(number, "big") for _, number in elements(elements(key)[0][1])]
        self.modulus, self.exponent = numbers
        if not 2_048 <= self.modulus.bit_length() <= 8_192:
            raise Refused("KeyLength", bits=self.modulus.bit_length())
        self.names = []
        for tag, extensions in fields[6:]:
            for _, extension in elements(elements(extensions)[0][1]) if tag == 0xA3 else []:
                name, *_, (_, value) = elements(extension)
                if name[1] == ALTERNATIVES:
                    self.names = [name.decode() for tag, name in elements(elements(value)[0][1]) if tag == 0x82]
        if not self.names:
            attributes = [elements(attribute) for _, names in subject for _, attribute in elements(names)]
            self.names = [value[1].decode() for name, value in attributes if name[1] == COMMON_NAME]


def elements(der):
    """The elements that stand behind one another: tag and content of each."""
    found, at = [], 0
    while at < len(der):
        tag, length, at = der[at], der[at + 1], at + 2
        if length >= 0x80:
            size = length - 0x80
            length, at = int.from_bytes(der[at : at + size], "big"), at + size
        if at + length > len(der):
            raise ValueError(at)
        found.append((tag, der[at : at + length]))
        at += length
    return found


def time(tag, digits):
    digits = digits.decode()
    if tag == 0x17:
        digits = ("19" if digits[:2] >= "50" else "20") + digits
    return millis(re.sub("(....)(..)(..)(..)(..)(..)Z", r"\1-\2-\3T\4:\5:\6Z", digits))


RSA_ENCRYPTION = bytes.fromhex("2a864886f70d010101")
ALTERNATIVES, COMMON_NAME = bytes.fromhex("551d11"), bytes.fromhex("550403")
