"""What is said between Kii things and Kii Cloud, read a second time, from the specification alone.

    kii_reference.py request|response|onboarding|push|topic COUNT

prints COUNT random inputs of `inspect kii-request`, `kii-response`, `kii-onboarding`, `kii-push` or `kii-topic`, one
JSON object a line: the "input" line, and what must come of it: the "ok", or the "error". The seed is fixed. Standard
library only.

Where the specification is silent this takes the crate's side: what holds half of a surrogate pair is no text, of
members with the same name the last one counts, an action with two of them is none, and a body that is too deep is so
before it is anything else.
"""

import json
import re
import sys
import unicodedata

from json_lines import Number, Object, Refused, compact, is_object, is_text, payload_of, raw_member, read_json
from random_json import RandomJson

MAX_PAYLOAD, MAX_HEAD, MAX_HEADERS, MAX_DEPTH = 65_536, 8_192, 64, 32
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]
BLANKS = " \t"
PORTS = ["portTCP", "portSSL", "portWS", "portWSS"]


def read_body(body):
    """The value and its text."""
    text = body.decode().strip(" \t\r\n")
    return read_json(text), text


def is_control(char):
    return unicodedata.category(char) == "Cc"


def is_level(text):
    """Whether this can be one level of a topic."""
    return text != "" and not any(char in "/+#" or is_control(char) for char in text)


# Section 6.4.


def read_frame(payload, is_request):
    if not payload:
        raise Refused("Empty")
    if len(payload) > MAX_PAYLOAD:
        raise Refused("TooLarge")
    first = payload[:1]
    if not (b"A" <= first <= b"Z" if is_request else b"0" <= first <= b"9"):
        raise Refused("BadStartLine")
    start, headers, at = None, [], 0
    while True:
        end = payload.find(b"\n", at, MAX_HEAD)
        if end < 0:
            raise Refused("HeadTooLarge" if len(payload) >= MAX_HEAD else "MissingBlankLine")
        line = payload[at:end]
        at = end + 1
        if line.endswith(b"\r"):
            line = line[:-1]
        try:
            line = line.decode()
        except UnicodeDecodeError as error:
            raise Refused("NotUtf8") from error
        if any((char < " " and char != "\t") or char == "\x7f" for char in line):
            raise Refused("ControlChar")
        if start is None:
            start = read_method(line) if is_request else read_status(line)
        elif line == "":
            return {**start, "headers": headers, "bodyHex": payload[at:].hex()}
        else:
            header = re.fullmatch(r"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):(.*)", line, re.DOTALL)
            if not header:
                raise Refused("BadHeader")
            headers.append([header[1], header[2].strip(BLANKS)])
            if len(headers) > MAX_HEADERS:
                raise Refused("TooManyHeaders")


def read_method(line):
    method = line.rstrip(BLANKS)
    if method in METHODS:
        return {"method": method}
    raise Refused("UnknownMethod" if re.fullmatch("[A-Z]+", method) else "BadStartLine")


def read_status(line):
    status = re.match("([0-9]{3})(?:[ \t]|$)", line)
    if not status or not 100 <= int(status[1]) <= 599:
        raise Refused("BadStatus")
    return {"status": int(status[1])}


# Sections 9.1 to 9.3, in the order of their tables.


def read_onboarded(body, is_end_node):
    try:
        value, _ = read_body(body)
    except ValueError as error:
        raise Refused("NotJson") from error
    if depth(value) > MAX_DEPTH:
        raise Refused("TooDeep")
    if not isinstance(value, Object):
        raise Refused("BadField", field="body")
    read_text(value, "accessToken")
    if is_end_node:
        return {"endNodeThingID": read_text(value, "endNodeThingID")}
    thing_id, endpoint = read_text(value, "thingID"), value.get("mqttEndpoint")
    if endpoint is not None:
        if not isinstance(endpoint, Object):
            raise Refused("BadField", field="mqttEndpoint")
        endpoint = read_endpoint(endpoint)
    return {"thingID": thing_id, "mqttEndpoint": endpoint}


def read_endpoint(endpoint):
    told = {"installationID": None}
    if endpoint.has("installationID"):
        told["installationID"] = endpoint.get("installationID")
        if not is_text(told["installationID"]):
            raise Refused("BadField", field="installationID")
    told["username"] = read_text(endpoint, alias(endpoint, "username", "userName"))
    read_text(endpoint, "password")
    told["mqttTopic"] = read_text(endpoint, "mqttTopic")
    if len(told["mqttTopic"]) > 64 or not is_level(told["mqttTopic"]):
        raise Refused("BadField", field="mqttTopic")
    told["host"] = read_text(endpoint, "host")
    if any(char.isspace() or is_control(char) for char in told["host"]):
        raise Refused("BadField", field="host")
    for port in PORTS:
        told[port] = read_integer(endpoint, port, 1, 65_535)
    told["ttl"] = read_integer(endpoint, alias(endpoint, "ttl", "X-MQTT-TTL"), 0, 2**64 - 1)
    return told


def alias(endpoint, primary, other):
    return other if endpoint.has(other) and not endpoint.has(primary) else primary


def read_text(value, name):
    if not is_text(value.get(name)) or value.get(name) == "":
        raise Refused("BadField", field=name)
    return value.get(name)


def read_integer(value, name, least, most):
    number = value.get(name)
    if number is None:
        return None
    is_integer = isinstance(number, Number) and re.fullmatch("-?[0-9]+", number)
    if not is_integer or not least <= int(number) <= most:
        raise Refused("BadField", field=name)
    return int(number)


def depth(value):
    if isinstance(value, Object):
        return 1 + max((depth(member) for _, member in value), default=0)
    return 1 + max(map(depth, value), default=0) if isinstance(value, list) else 0


# Section 13.2.


def read_push(payload):
    try:
        value, text = read_body(payload)
    except ValueError as error:
        raise Refused("BadPush") from error
    if not isinstance(value, Object):
        raise Refused("BadPush")
    command_id, actions = value.get("commandID"), value.get("actions")
    # Numbers are strings here, and arrays and objects lists.
    if type(command_id) is not str or type(actions) is not list:
        return {"type": "push"}, None
    if not is_text(command_id) or not is_level(command_id):
        raise Refused("BadCommand", field="commandID")
    for index, action in enumerate(actions):
        if not is_action(action):
            raise Refused("BadCommand", field="actions", index=index)
    is_trait = not value.has("schema") and actions != [] and all(is_of_trait(value) for ((_, value),) in actions)
    # A name that is no text has no application that could know it.
    for index, ((name, inner),) in enumerate(actions):
        names = [name] + ([member for ((member, _),) in inner] if is_trait else [])
        if not all(map(is_text, names)):
            raise Refused("BadCommand", field="actions", index=index)
    told = {"type": "command", "commandID": command_id, "trait": is_trait}
    return told, compact(raw_member(text, "actions"))


def is_action(value):
    return isinstance(value, Object) and len(value) == 1


def is_of_trait(value):
    return type(value) is list and value != [] and all(map(is_action, value))


# Section 5.


def read_topic(app, mqtt_topic, stage, topic):
    if not re.fullmatch("[A-Za-z0-9_-]{1,128}", app):
        raise Refused("InvalidId", field="app")
    if len(mqtt_topic) > 64 or not is_level(mqtt_topic):
        raise Refused("InvalidId", field="mqttTopic")
    unknown = {"class": "unknown", "resource": None}
    if stage == 2 and topic == mqtt_topic:
        return {"class": "push", "resource": None}
    prefix = ["p", "anonymous" if stage == 1 else mqtt_topic, "thing-if", "apps", app]
    levels = topic.split("/")
    if levels[:5] != prefix or len(levels) < 6 or not all(map(is_level, levels[5:])):
        return unknown
    resource = "/".join(levels[5:])
    if stage == 2:
        return {"class": "api", "resource": resource}
    return {"class": "onboarding", "resource": resource} if resource == "onboardings" else unknown


# What the commands say: the answer, and the text of the actions if it has some.


def answer_frame(is_request):
    return lambda line, text: (read_frame(payload_of(line), is_request), None)


def answer_onboarding(line, text):
    body, is_end_node = payload_of(line, text), line.get("endNode")
    if is_end_node is not None and not isinstance(is_end_node, bool):
        raise Refused("BadInput", field="endNode")
    return read_onboarded(body, is_end_node), None


def answer_push(line, text):
    return read_push(payload_of(line, text))


def answer_topic(line, text):
    app, mqtt_topic = required_text(line, "app"), required_text(line, "mqttTopic")
    stage = line.get("stage")
    if not isinstance(stage, Number):
        raise Refused("BadInput", field="stage")
    topic = required_text(line, "topic")
    if stage not in ("1", "2"):
        raise Refused("BadInput", field="stage")
    return read_topic(app, mqtt_topic, int(stage), topic), None


def required_text(line, name):
    if not is_text(line.get(name)):
        raise Refused("BadInput", field=name)
    return line.get(name)


# Random inputs: good ones, of which most have something wrong done to them.

PLAIN = "abcxyzABCXYZ0123456789"
ODD = PLAIN + "=&+/%:;.~_-@ \"'\\<>?#×é\u00a0\u2028密\U0001f600\ufeff"
CONTROLS = "\0\t\n\x0b\r\x1b\x1f\x7f\x80\x85\x9f"
ANY = ODD + CONTROLS + "{}[],"
LEVEL = PLAIN + "=&%:;.~_-@ ?×é\u00a0密\U0001f600"
BAD_UTF8 = [b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\x80", b"\xf0\x9f", b"\xc3"]
NUMBERS = ["0", "-0", "1", "-1", "8883", "65535", "65536", "8883.0", "8883e0", "1E2", "1e999", "-0.0", "2147483647"]
NUMBERS += ["18446744073709551615", "18446744073709551616", "-9223372036854775809", "9" * 30]
VALUES = NUMBERS + ["null", "true", "false", '""', '"8883"', '"x"', "[]", "{}", '[{"a":1}]', '{"a":1}']
VALUES += [r'"\ud83d\ude00"']
NOT_JSON = ["", "{", "01", "+1", ".5", "1.", "NaN", "-Infinity", "'a'", '"\t"', '"\\x"', '"\\u12"', "[1,]", "nil", "//"]
NOT_JSON += ["\ufeff{}"]
HALVES = [r'"\ud800"', r'"a\udc00"', r'"\udc00\ud800"']


class Inputs(RandomJson):
    def mutate(self, raw):
        """The bytes with a few of them changed."""
        for _ in range(self.one_of(1, 1, 2, 5)):
            at, other = self.random.randint(0, len(raw)), self.random.randint(0, len(raw))
            piece = self.one_of(
                bytes([self.random.randrange(256)]), self.random.choice(BAD_UTF8),
                self.random.choice(CONTROLS).encode(), b"\n", b"\r", b"\r\n", b":", b" ", b'"', b"{", b"}", b"[", b"]",
                b",", b"/", raw[at : at + 9],
            )
            kept = self.one_of(at, at, at + 1, at + 1, other, at + 3)
            raw = raw[:at] + self.one_of(piece, b"", piece) + raw[kept:]
            raw = raw[: self.random.randint(0, len(raw))] if self.chance(0.05) else raw
        return raw

    def members(self, raw, is_json=False):
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
        if is_json and self.chance(0.4) and is_object(text) and "\n" not in text:
            return '"payload":' + text
        if self.chance(0.3):
            return '"payloadHex":"' + raw.hex() + '"'
        return '"payload":' + json.dumps(text, ensure_ascii=self.chance(0.5))

    # Frames.

    def request(self):
        return self.frame(self.one_of(*METHODS), ": ")

    def response(self):
        return self.frame(str(self.random.randint(100, 599)), ":")

    def frame(self, start, separator):
        if self.chance(0.2):
            start = self.one_of(
                self.word("0123456789", 1, 4), self.word("ABCDEGOPSTU", 1, 7), start.lower(), start + "x",
                start + " OK",
                start + "\té", start + BLANKS, " " + start, start + " HTTP/1.1", "HTTP/1.1 " + start, "200", "POST",
                "099", "600", "\ufeff" + start, "", start + "\0", '{"a":1}', self.word(ANY, 1, 9),
            )
        elif self.chance(0.1):
            start += self.word(BLANKS, 0, 3)
        count = self.one_of(0, 1, 2, 3, 6) if self.chance(0.97) else self.around(MAX_HEADERS)
        headers = ["A" + separator + "1"] * count
        if count < MAX_HEADERS // 2:
            headers = [self.header(separator) for _ in range(count)]
        lines = [start, *headers, ""]
        if self.chance(0.03):
            head = sum(len(line.encode()) + 2 for line in lines)
            lines.insert(-1, "L:" + "x" * (self.around(MAX_HEAD) - head - 4))
        if self.chance(0.05):
            odd = self.one_of("", "\r", " ", "\t", " folded", ":", "NoColon")
            lines.insert(self.random.randint(0, len(lines)), odd)
        ends = self.one_of(["\r\n"], ["\r\n"], ["\n"], ["\r\n", "\n"], ["\r\n", "\n", "\r", "\r\r\n"])
        if len(ends) == 4 and self.chance(0.6):
            ends = ends[:2]
        raw = "".join(line + self.random.choice(ends) for line in lines).encode()
        raw += self.one_of(b"", b"{}", b'{"a":1}\r\n', b"\r\n\r\n{}", b"\x00\xff\x01", self.word(ANY, 1, 40).encode())
        if self.chance(0.01):
            raw += b"x" * (self.around(MAX_PAYLOAD) - len(raw))
        elif self.chance(0.003):
            raw = b""
        if self.chance(0.3):
            raw = self.mutate(raw)
        return "{" + self.members(raw) + "}"

    def header(self, separator):
        name = self.one_of("X-Kii-RequestID", "Content-Type", "Date", "A", self.word(PLAIN + "!#$%&'*+-.^_`|~", 1, 12))
        value = self.word(self.one_of(PLAIN, PLAIN + " :", ODD + "\t"), 0, 20)
        if self.chance(0.1):
            value = self.word(BLANKS, 0, 2) + value + self.word(BLANKS, 0, 2)
        if self.chance(0.03):
            spoiled = self.one_of("", name + " ", " " + name, "é", "a b", "a(", "a/", name + "\t", "\x7f")
            return spoiled + separator + value
        if self.chance(0.03):
            at = self.random.randint(0, len(value))
            value = value[:at] + self.random.choice(CONTROLS) + value[at:]
        return name + separator + value

    # JSON.

    def string(self, text):
        return json.dumps(text, ensure_ascii=self.chance(0.3))

    def nested(self, levels):
        kinds = [self.one_of(("[", "]"), ('{"a":', "}")) for _ in range(levels)]
        inner = self.one_of("1", "[]", "{}") if levels else "1"
        return "".join(begin for begin, _ in kinds) + inner + "".join(end for _, end in reversed(kinds))

    def spoil(self, members, names):
        """Takes a member away, renames it, doubles it, or gives it another value."""
        at = self.random.randrange(len(members))
        name, value = members[at]
        spoiled = self.random.randrange(8)
        if spoiled == 0:
            del members[at]
        elif spoiled == 1:
            members[at] = (self.random.choice(names), value)
        elif spoiled == 2:
            members.insert(self.random.randint(0, len(members)), (name, self.random.choice(VALUES)))
        elif spoiled == 3:
            other = (self.random.choice(names), self.random.choice(VALUES))
            members.insert(self.random.randint(0, len(members)), other)
        elif spoiled == 4:
            members[at] = (name, self.random.choice(HALVES))
        elif spoiled == 5:
            members[at] = (name, self.string(self.word(ANY, 0, 9)))
        else:
            members[at] = (name, self.random.choice(VALUES))

    def body(self, text):
        """A body as bytes, now and then with something wrong with it as a whole."""
        if self.chance(0.1):
            text = self.space() + text + self.space()
        raw = text.encode()
        if self.chance(0.04):
            raw = self.one_of(
                raw + b"\0", raw + b"x", raw + raw, b"\xef\xbb\xbf" + raw, raw + b"\xff", raw[:-1], raw + b"\x0b",
                b"\xff\xfe", b"[" + raw + b"]", *[whole.encode() for whole in VALUES + NOT_JSON],
            )
        if self.chance(0.05):
            raw = self.mutate(raw)
        return raw

    def onboarding(self):
        names = ["accessToken", "thingID", "mqttEndpoint", "endNodeThingID", "x"]
        inner = ["installationID", "username", "userName", "password", "mqttTopic", "host", "ttl", "X-MQTT-TTL", "x"]
        inner += PORTS
        is_end_node = self.chance(0.15)
        host = self.one_of("broker2.example", "192.0.2.1", "h", "2001:db8::1", self.word(LEVEL.replace(" ", ""), 1, 20))
        endpoint = [
            ("installationID", self.string(self.word(ODD, 0, 25))),
            (self.one_of("username", "username", "userName"), self.string(self.word(ODD, 1, 20))),
            ("password", self.string(self.word(ODD, 1, 64))),
            ("mqttTopic", self.string(self.word(self.one_of(PLAIN, LEVEL), 1, self.one_of(23, 64)))),
            ("host", self.string(host)),
            *[(port, str(self.one_of(1, 1883, 65_535, self.random.randint(1, 65_535)))) for port in PORTS],
            (self.one_of("ttl", "X-MQTT-TTL"), str(self.one_of(0, 60, 2_147_483_647, 2**64 - 1))),
        ]
        for _ in range(self.one_of(0, 0, 1, 1, 2)):
            self.spoil(endpoint, inner)
        if self.chance(0.1):
            odd = self.one_of("", "a/b", "a+", "#", "x" * self.around(64), "é" * self.around(64), self.word(ANY, 1, 70))
            spoiled = self.one_of("mqttTopic", "host")
            endpoint = [(name, self.string(odd) if name == spoiled else value) for name, value in endpoint]
        if self.chance(0.2):
            endpoint = [member for member in endpoint if self.chance(0.8)]
        whole = self.object(endpoint)
        if self.chance(0.1):
            whole = self.one_of("null", "[]", "7", '"x"', "{}", whole)
        members = [("accessToken", self.string(self.word(ODD, 1, 43))), ("thingID", self.string(self.word(ODD, 1, 30)))]
        if is_end_node:
            members[1] = ("endNodeThingID", members[1][1])
        elif self.chance(0.9):
            members.append(("mqttEndpoint", whole))
        for _ in range(self.one_of(0, 0, 0, 1)):
            self.spoil(members, names)
        if self.chance(0.05):
            members.append(("x", self.nested(self.one_of(5, 200, self.around(MAX_DEPTH)))))
        if self.chance(0.3):
            self.random.shuffle(members)
        line = self.members(self.body(self.object(members)), is_json=True)
        if is_end_node or self.chance(0.05):
            flag = self.one_of("true", "true", "true", "false", "null", "1") if self.chance(0.2) else "true"
            line = line + ("," if line else "") + '"endNode":' + flag
        return "{" + line + "}"

    def action(self, value):
        name = self.string(self.word(self.one_of(PLAIN, ODD), 0, 9))
        text = "{" + self.space() + name + self.space() + ":" + self.space() + value + self.space() + "}"
        if self.chance(0.02):
            return self.one_of(
                "{}", "[]", "null", "7", '"a"', text[:-1] + "," + name + ":1}", text[:-1] + ',"b":2}', "[" + text + "]",
                '{"\\ud800":1}', '{"\\ud800":[{"a":1}]}', '{"a":[{"\\udc00":1}]}',
            )
        return text

    def array(self, elements):
        return "[" + ",".join(self.space() + element + self.space() for element in elements) + "]"

    def value(self):
        return self.one_of(*VALUES, *HALVES, '{"power" : true}', self.nested(3), self.string(self.word(ANY, 0, 9)))

    def push(self):
        is_trait = self.chance(0.5)
        actions = [
            self.action(self.actions_of_trait() if is_trait else self.value()) for _ in range(self.one_of(0, 1, 2, 3))
        ]
        if is_trait and self.chance(0.1):
            actions.append(self.action(self.value()))
        members = [("commandID", self.string(self.command_id())), ("actions", self.array(actions))]
        if self.chance(0.5):
            members.append(("issuer", '"user:u-1"'))
        if self.chance(0.1 if is_trait else 0.5):
            members += [("schema", self.one_of('"S"', "null")), ("schemaVersion", "1")]
        if self.chance(0.3):
            self.spoil(members, ["commandID", "actions", "schema", "issuer", "x"])
        if self.chance(0.3):
            self.random.shuffle(members)
        return "{" + self.members(self.body(self.object(members)), is_json=True) + "}"

    def actions_of_trait(self):
        count = self.one_of(1, 1, 2, 3, 0) if self.chance(0.3) else 1
        return self.array([self.action(self.value()) for _ in range(count)])

    def command_id(self):
        return self.word(ANY, 0, 9) if self.chance(0.1) else self.word(self.one_of(PLAIN + "-", LEVEL), 1, 36)

    # Topics.

    def topic(self):
        app = self.word(PLAIN + "-_", 1, self.one_of(8, 128))
        mqtt_topic = self.word(self.one_of(PLAIN, PLAIN, LEVEL), 1, self.one_of(23, 64))
        mqtt_topic = self.one_of("anonymous", "p") if self.chance(0.02) else mqtt_topic
        stage = self.random.randint(1, 2)
        if self.chance(0.03):
            app = self.one_of("", "a&b", "é", "a" * self.around(128), self.word(ANY, 0, 9))
        if self.chance(0.03):
            mqtt_topic = self.one_of("", "a/b", "+", "é" * self.around(64), self.word(ANY, 0, 9), "a\0")
        client = mqtt_topic if stage == 2 else "anonymous"
        if self.chance(0.05):
            client = self.one_of(mqtt_topic, "anonymous", "Anonymous", client.upper(), "", self.word(LEVEL, 1, 9))
        levels = ["p", client, "thing-if", "apps", app, *self.resource().split("/")]
        if stage == 1 and self.chance(0.5):
            levels[5:] = ["onboardings"]
        if self.chance(0.15):
            at = self.random.randrange(len(levels))
            change = self.random.randrange(5)
            if change == 0:
                del levels[at]
            elif change == 1:
                levels.insert(at, self.one_of("", "x", "p"))
            elif change == 2:
                levels[at] = levels[at].swapcase()
            elif change == 3:
                levels[at] = self.word(self.one_of(LEVEL, ANY), 0, 9)
            else:
                levels[at] += self.random.choice(ANY)
        topic = "/".join(levels)
        if self.chance(0.1):
            topic = self.one_of(
                mqtt_topic, mqtt_topic, mqtt_topic.swapcase(), mqtt_topic + "/", "/" + mqtt_topic, "", "p", topic + "/",
                "/" + topic,
            )
        members = [("app", self.string(app)), ("mqttTopic", self.string(mqtt_topic))]
        members += [("stage", str(stage)), ("topic", self.string(topic))]
        if self.chance(0.03):
            self.spoil(members, ["app", "mqttTopic", "stage", "topic", "x"])
        if self.chance(0.3):
            self.random.shuffle(members)
        return self.object(members).replace("\n", " ").replace("\r", " ")

    def resource(self):
        target = self.one_of("thing:", "THING:", "Thing:", "user:", "") + self.word(LEVEL.replace(":", ""), 0, 20)
        thing, command = self.word(LEVEL, 1, 20), self.word(PLAIN + "-", 1, 36)
        long = self.word(LEVEL, 1, 9) * self.one_of(1, 1, 1, 300)
        return self.one_of(
            "onboardings", f"targets/{target}/states", f"targets/{target}/states/aliases/{long}",
            f"targets/{target}/states-bulk", f"targets/{target}/commands", f"things/{thing}/thing-type",
            f"targets/{target}/commands/{command}/action-results", f"targets/{target}/commands?bestEffortLimit=5",
            f"things/{thing}/end-nodes/{thing}/connection", long, f"{long}/{thing}",
        )

    def odd_line(self, line):
        """Now and then something that is no line."""
        if self.chance(0.01):
            odd = ["[]", "null", "7", '"text"', "{'a':1}", '{"a":NaN}']
            line = self.one_of(*odd, line[:-1], line + "}", "[" + line + "]")
        return line


def main():
    command, count = sys.argv[1], int(sys.argv[2])
    inputs = Inputs(f"kii {command}")
    make, judge = {
        "request": (inputs.request, answer_frame(True)),
        "response": (inputs.response, answer_frame(False)),
        "onboarding": (inputs.onboarding, answer_onboarding),
        "push": (inputs.push, answer_push),
        "topic": (inputs.topic, answer_topic),
    }[command]
    for _ in range(count):
        line = inputs.odd_line(make())
        try:
            members, text = read_body(line.encode())
        except ValueError:
            members = text = None
        try:
            if not isinstance(members, Object):
                raise Refused("BadInput")
            ok, actions = judge(members, text)
            ok = json.dumps(ok)
            if actions is not None:
                ok = ok[:-1] + ',"actions":' + actions + "}"
            answer = '"ok":' + ok
        except Refused as refused:
            answer = '"error":' + json.dumps(refused.error)
        print('{"input":' + json.dumps(line) + "," + answer + "}")


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8")
    main()
