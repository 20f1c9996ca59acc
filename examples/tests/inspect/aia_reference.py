"""What AIA's topics and connection messages say, read a second time, from the specification alone.

    aia_reference.py topic|connection COUNT

prints COUNT random inputs of `inspect aia-topic` or `aia-connection`, one JSON object a line: the "input" line, and
what must come of it: the "ok", or the "error". The seed is fixed. Standard library only.

Where the specification is silent this takes the crate's side: a topic is looked at from its end, a part of it has at
most 256 bytes, a text with half of a surrogate pair is none, and a message has at most 128 KiB, nests at most 32 deep,
and is looked through for that and for names that come twice in the order of the text.
"""

import json
import re
import sys
import unicodedata

from json_lines import Number, Object, Refused, is_object, is_text, payload_of, read_json
from random_json import RandomJson

LEAVES = {
    "connection/fromclient": ("toService", False),
    "connection/fromservice": ("toDevice", False),
    "capabilities/publish": ("toService", True),
    "capabilities/acknowledge": ("toDevice", True),
    "directive": ("toDevice", True),
    "event": ("toService", True),
    "microphone": ("toService", True),
    "speaker": ("toDevice", True),
}
MAX_PART, MAX_ID, MAX_DESCRIPTION, MAX_MESSAGE, MAX_DEPTH = 256, 256, 1_024, 131_072, 32
ACKNOWLEDGES = {
    "CONNECTION_ESTABLISHED": "proceed",
    "INVALID_ACCOUNT_ID": "correctAccountId",
    "INVALID_CLIENT_ID": "correctClientId",
    "API_VERSION_DEPRECATED": "upgradeVersion",
    "UNKNOWN_FAILURE": "retry",
    "ENCRYPTION_ERROR": "register",
}
DISCONNECTS = {
    "UNEXPECTED_SEQUENCE_NUMBER": "reconnect",
    "MESSAGE_TAMPERED": "reconnect",
    "ENCRYPTION_ERROR": "register",
    "API_VERSION_DEPRECATED": "upgradeVersion",
    "GOING_OFFLINE": "reconnect",
}


def check(value, depth=0):
    """Names come once, and nothing nests too deep."""
    if not isinstance(value, list):
        return
    if depth == MAX_DEPTH:
        raise Refused("TooDeep", limit=MAX_DEPTH)
    names = set()
    for element in value:
        if isinstance(value, Object):
            name, element = element
            if name in names:
                raise Refused("NamedTwice")
            names.add(name)
        check(element, depth + 1)


# Section 2.


def read_topic(topic):
    leaf = next((leaf for leaf in LEAVES if topic.endswith("/" + leaf)), None)
    if leaf is None:
        raise Refused("NoLeaf")
    levels = topic[: -len(leaf) - 1].split("/")
    if len(levels) < 2:
        raise Refused("NoVersion")
    check_part("clientId", levels[-1])
    # Unlike \d this takes ASCII only.
    version = re.fullmatch("v(0|[1-9][0-9]*)", levels[-2])
    if not version or int(version[1]) > 65_535:
        raise Refused("NoVersion")
    if len(levels) < 4 or levels[-3] != "ais":
        raise Refused("NoAis")
    root = "/".join(levels[:-3])
    check_part("root", root)
    direction, encrypted = LEAVES[leaf]
    return {
        "root": root, "version": levels[-2], "clientId": levels[-1], "leaf": leaf, "direction": direction,
        "encrypted": encrypted,
    }


def check_part(field, text):
    forbidden = "+#" if field == "root" else "/+#"
    if text == "":
        raise Refused("BadPart", field=field, rule="NotEmpty")
    if len(text.encode()) > MAX_PART:
        raise Refused("BadPart", field=field, rule="AtMost", limit=MAX_PART)
    for index, char in enumerate(text):
        if char in forbidden or unicodedata.category(char) == "Cc":
            raise Refused("BadPart", field=field, rule="Without", index=len(text[:index].encode()))
    if field == "root" and text.endswith("/"):
        raise Refused("BadPart", field=field, rule="NoSlashAtEnd")


# Sections 3 and 6.


def read_message(payload, is_from_device):
    if len(payload) > MAX_MESSAGE:
        raise Refused("TooLong", len=len(payload), limit=MAX_MESSAGE)
    try:
        message = read_json(payload.decode())
    except ValueError as error:
        raise Refused("NotJson") from error
    check(message)
    if not isinstance(message, Object):
        raise Refused("BadField", field="message")
    header, payload = message.get("header"), message.get("payload")
    if not isinstance(header, Object):
        raise Refused("BadField", field="header")
    name, message_id = header.get("name"), header.get("messageId")
    if not is_text(name):
        raise Refused("BadField", field="header.name")
    if name not in (("Connect", "Disconnect") if is_from_device else ("Acknowledge", "Disconnect")):
        raise Refused("OtherName")
    payload = payload if isinstance(payload, Object) else Object()
    texts = {name: value for name, value in payload if is_text(value)}
    # Who answers a Connect needs its id; no other is needed.
    if not is_id(message_id):
        if is_from_device:
            raise Refused("BadField", field="header.messageId")
        message_id = None
    told = {"name": name, "messageId": message_id}
    if name == "Connect":
        return {
            **told, "awsAccountId": texts.get("awsAccountId"), "clientId": texts.get("clientId"), "advice": "none",
        }
    code, advice = texts.get("code"), "none"
    if name == "Acknowledge":
        told["connectMessageId"] = payload.get("connectMessageId")
        if not is_id(told["connectMessageId"]):
            raise Refused("BadField", field="payload.connectMessageId")
        if code is None:
            raise Refused("BadField", field="payload.code")
        advice = ACKNOWLEDGES.get(code, "retry")
    elif not is_from_device:
        advice = DISCONNECTS.get(code, "reconnect")
    return {**told, "code": code, "description": cut(texts.get("description")), "advice": advice}


def is_id(value):
    return is_text(value) and 1 <= len(value.encode()) <= MAX_ID


def cut(description):
    if description is None:
        return None
    return description.encode()[:MAX_DESCRIPTION].decode(errors="ignore")


# What the commands say.


def answer_topic(line, text):
    if not is_text(line.get("topic")):
        raise Refused("BadInput", field="topic")
    return read_topic(line.get("topic"))


def answer_connection(line, text):
    payload, sender = payload_of(line, text), line.get("from")
    if sender not in (None, "service", "device") or isinstance(sender, Number):
        raise Refused("BadInput", field="from")
    return read_message(payload, sender == "device")


# Random inputs: good ones, of which many have something wrong done to them.

PLAIN = "abcxyzABCXYZ0123456789-_"
ODD = PLAIN + "=&%:;.~@ $\"'\\<>?×é\u00a0\u2028密\U0001f600\ufeff"
CONTROLS = "\0\t\n\x0b\r\x1b\x1f\x7f\x80\x85\x9f"
ANY = ODD + CONTROLS + "{}[],/+#"
VALUES = ["null", "true", "false", "0", "-1", "1e999", "9" * 30, '""', '"x"', "[]", "{}", '[{"a":1}]', '{"code":"x"}']
VALUES += [r'"\ud800"', r'"a\udc00"', r'"\ud83d\ude00"', "123456789012"]
NOT_JSON = ["", "{", "01", "+1", ".5", "1.", "NaN", "-Infinity", "'a'", '"\t"', '"\\x"', "[1,]", "truth", "//"]
NOT_JSON += ["\ufeff{}"]
CODES = [*ACKNOWLEDGES, *DISCONNECTS]


class Inputs(RandomJson):
    def long(self, limit):
        """A text of about so many bytes."""
        char = self.one_of("x", "é", "密", "\U0001f600")
        return char * (limit // len(char.encode())) + "y" * self.random.randint(0, 3)

    # Topics.

    def topic(self):
        root = self.one_of("$aws/alexa", "$aws/alexa", "tenant/x", "r", self.word(ODD + "/", 1, 20))
        client = self.word(self.one_of(PLAIN, PLAIN, ODD), 1, self.one_of(9, 60))
        version = self.one_of("v1", "v1", "v2", "v0", f"v{self.random.randint(0, 65_535)}")
        if self.chance(0.15):
            root = self.one_of("", "/", "/r", "r/", "r//s", "+", "a/#", "ais", "r/ais", "ais/v1", self.word(ANY, 0, 9))
        if self.chance(0.15):
            client = self.one_of("", "a/b", "a+", "#", " ", "v1", "ais", self.word(ANY, 0, 9))
        if self.chance(0.1):
            version = self.one_of(
                "", "v", "V1", "1", "v01", "v+1", "v-1", "v 1", "v1 ", "v1.0", "v65535", "v65536", "v" + "9" * 30, "v٣",
                "v²", "w1", "v0x1", "v00", self.word(ANY, 0, 3),
            )
        if self.chance(0.05):
            root = self.long(self.around(MAX_PART))
        elif self.chance(0.05):
            client = self.long(self.around(MAX_PART))
        levels = [*root.split("/"), "ais", version, client, *self.one_of(*LEAVES).split("/")]
        if self.chance(0.15):
            at = self.one_of(-1, -1, -2, -3, -4, self.random.randrange(-len(levels), 0))
            at = max(at, -len(levels))
            change = self.random.randrange(5)
            if change == 0:
                del levels[at]
            elif change == 1:
                levels.insert(at, self.one_of("", "x", "ais", "v1", "connection", "speaker"))
            elif change == 2:
                levels[at] = levels[at].swapcase()
            elif change == 3:
                levels[at] = self.word(self.one_of(ODD, ANY), 0, 9)
            else:
                levels[at] += self.random.choice(ANY)
        if self.chance(0.05):
            levels = levels[self.random.randint(0, len(levels)) :]
        topic = "/".join(levels)
        if self.chance(0.05):
            topic += self.one_of("/", "\n", " ", "/x")
        members = [("topic", self.string(topic))]
        if self.chance(0.03):
            members = self.one_of([], [("topic", self.one_of(*VALUES))], [("Topic", members[0][1])])
        if self.chance(0.1):
            members.append(("x", self.one_of(*VALUES)))
        return self.line(self.object(members))

    # Connection messages.

    def connection(self):
        is_from_device = self.chance(0.4)
        name = self.one_of("Acknowledge", "Disconnect")
        if is_from_device:
            name = self.one_of("Connect", "Connect", "Disconnect")
        if self.chance(0.05):
            odd = [name.lower(), name + " ", name[:-1], "", "Publish", self.word(ANY, 1, 9)]
            name = self.one_of("Connect", "Acknowledge", "Disconnect", *odd)
        code = self.one_of(*CODES, *CODES, "", "NEW", self.word(ANY, 0, 20))
        if self.chance(0.1):
            code = self.one_of(code.lower(), code + " ", " " + code, code[:-1], code + "\0")
        header = [("name", self.string(name)), ("messageId", self.string(self.id()))]
        description = self.word(ANY, 0, 40) if self.chance(0.9) else self.long(self.around(MAX_DESCRIPTION))
        if name == "Connect":
            payload = [
                ("awsAccountId", self.string(self.one_of("123456789012", "", self.word(ANY, 0, 12)))),
                ("clientId", self.string(self.word(self.one_of(PLAIN, ANY), 0, 20))),
            ]
        elif name == "Acknowledge":
            payload = [("connectMessageId", self.string(self.id())), ("code", self.string(code))]
        else:
            payload = [("code", self.string(code))]
        if self.chance(0.4):
            payload.append(("description", self.string(description)))
        names = ["name", "messageId", "awsAccountId", "clientId", "connectMessageId", "code", "description", "x"]
        for members in (header, payload):
            if self.chance(0.2):
                self.spoil(members, names)
            if self.chance(0.3):
                self.random.shuffle(members)
        whole = [("header", self.object(header)), ("payload", self.object(payload))]
        if self.chance(0.1):
            self.spoil(whole, ["header", "payload", "x"])
        if self.chance(0.1):
            inner = [("a", self.one_of(*VALUES)), (self.one_of("b", "b", "b", "a"), self.one_of(*VALUES))]
            where = self.one_of(header, payload, whole)
            where.append(("extra", self.object(inner)))
            if where is not whole:
                whole = [("header", self.object(header)), ("payload", self.object(payload))]
        if self.chance(0.04):
            whole.append(("deep", self.nested(self.one_of(5, 200, self.around(MAX_DEPTH)))))
        raw = self.body(self.object(whole))
        line = self.members(raw)
        if is_from_device or self.chance(0.3):
            sender = "device" if is_from_device else "service"
            sender = self.one_of("Device", "", "both", "device", "service") if self.chance(0.05) else sender
            sender = self.one_of("null", "7", "{}", "true") if self.chance(0.03) else self.string(sender)
            line += ("," if line else "") + '"from":' + sender
        return self.line("{" + line + "}")

    def id(self):
        if self.chance(0.03):
            return self.one_of("", self.long(self.around(MAX_ID)))
        return self.word(self.one_of(PLAIN, ODD, ANY), 1, self.one_of(9, 36))

    def nested(self, levels):
        kinds = [self.one_of(("[", "]"), ('{"a":', "}")) for _ in range(levels)]
        twice = self.one_of("1", "1", '{"b":1,"b":2}')
        return "".join(begin for begin, _ in kinds) + twice + "".join(end for _, end in reversed(kinds))

    def spoil(self, members, names):
        """Takes a member away, renames it, doubles it, or gives it another value."""
        at = self.random.randrange(len(members))
        name, value = members[at]
        spoiled = self.random.randrange(6)
        if spoiled == 0:
            del members[at]
        elif spoiled == 1:
            members[at] = (self.one_of(*names), value)
        elif spoiled == 2:
            members.insert(self.random.randint(0, len(members)), (name, self.one_of(*VALUES)))
        elif spoiled == 3:
            members.insert(self.random.randint(0, len(members)), (self.one_of(*names), self.one_of(*VALUES)))
        else:
            members[at] = (name, self.one_of(*VALUES))
        return members

    def body(self, text):
        """A message as bytes, now and then with something wrong with it as a whole."""
        raw = (self.space() + text + self.space()).encode()
        if self.chance(0.04):
            raw = self.one_of(
                raw + b"\0", raw + b"x", raw + raw, b"\xef\xbb\xbf" + raw, raw + b"\xff", raw[:-1], b"[" + raw + b"]",
                b'{"directives":[' + raw + b"]}", *[whole.encode() for whole in VALUES + NOT_JSON],
            )
        if self.chance(0.05):
            at = self.random.randint(0, len(raw))
            pieces = [b"\xff", b"\xed\xa0\x80", b"\x80", b'"', b"{", b"}", b",", b":", b"\\", b"\n", b"\0", b""]
            piece = self.one_of(*pieces)
            raw = raw[:at] + piece + raw[at + self.one_of(0, 1) :]
        if self.chance(0.005):
            raw += b" " * (self.around(MAX_MESSAGE) - len(raw))
        return raw

    def members(self, raw):
        """A payload as text, as hex, which it must be where it is no text, or as the object it is."""
        if self.chance(0.02):
            return self.one_of(
                "{}", '{"payload":null}', '{"payload":"","payloadHex":""}', '{"payload":7}', '{"payload":[]}',
                '{"payload":"\\ud800"}', '{"payloadHex":"0"}', '{"payloadHex":"0g"}', '{"payloadHex":[]}',
                '{"payload":true}', '{"payload":{}}', '{"payload":{"a":1}}',
            )[1:-1]
        try:
            text = raw.decode()
        except UnicodeDecodeError:
            return '"payloadHex":"' + self.one_of(raw.hex(), raw.hex().upper()) + '"'
        if self.chance(0.4) and "\n" not in text and is_object(text):
            return '"payload":' + text
        if self.chance(0.3):
            return '"payloadHex":"' + raw.hex() + '"'
        return '"payload":' + json.dumps(text, ensure_ascii=self.chance(0.5))

    def line(self, line):
        """On one line, and now and then something that is none."""
        line = line.replace("\n", " ").replace("\r", " ")
        if self.chance(0.01):
            odd = ["[]", "null", "7", '"text"', "{'a':1}", '{"a":NaN}']
            line = self.one_of(*odd, line[:-1], line + "}", "[" + line + "]")
        return line


def main():
    command, count = sys.argv[1], int(sys.argv[2])
    inputs = Inputs(f"aia {command}")
    make, judge = {
        "topic": (inputs.topic, answer_topic),
        "connection": (inputs.connection, answer_connection),
    }[command]
    for _ in range(count):
        line = make()
        try:
            members = read_json(line)
        except ValueError:
            members = None
        try:
            if not isinstance(members, Object):
                raise Refused("BadInput")
            case = {"input": line, "ok": judge(members, line.strip(" \t\r\n"))}
        except Refused as refused:
            case = {"input": line, "error": refused.error}
        print(json.dumps(case))


if __name__ == "__main__":
    main()
