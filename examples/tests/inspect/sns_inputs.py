"""Random bodies that SNS might deliver: good ones, of which many have something wrong done to them."""

import base64
import json
import re
from pathlib import Path

from json_lines import is_object, read_json
from random_json import RandomJson
from sns_reading import (
    ALTERNATIVES, COMMON_NAME, CONFIRMATIONS, DOMAINS, KINDS, MAX_DEPTH, MAX_EVENT, MAX_RECORDS, MAX_SKEW, MAX_TEXT,
    MAX_URL, NOTIFICATION, is_control, millis, pad, signing_name, string_to_sign,
)

PLAIN = "abcxyzABCXYZ0123456789-_"
ODD = PLAIN + "=&%:;.~@ $\"'\\<>?×é\u00a0\u2028密\U0001f600\ufeff"
CONTROLS = "\0\t\n\x0b\r\x1b\x1f\x7f\x80\x85\x9f"
ANY = ODD + CONTROLS + "{}[],/+#"
VALUES = ["null", "true", "0", "-1", "1e999", "9" * 30, '""', '"x"', "[]", "{}", '[{"a":1}]', '{"a":"x"}', "2.0"]
HALVES = ['"\\ud800"', '"a\\udc00"', '"\\ud83d\\ude00"']
NOT_OBJECTS = ["hello", "", "null", "[]", "7", '"x"', "{", '{"a":}', "{'a':1}", '{"a":NaN}', "[1,]", '"\t"']
MEMBERS = ["Type", "MessageId", "TopicArn", "Message", "Timestamp", "SignatureVersion", "Signature", "SigningCertURL"]
MORE = ["SigningCertUrl", "UnsubscribeURL", "UnsubscribeUrl", "Subject", "Token", "SubscribeURL", "MessageAttributes"]
PLACES = [("aws", region) for region in ("us-east-1", "ap-east-1", "eu-west-1", "mx-central-1", "xx-new-9")]
PLACES += [("aws-us-gov", "us-gov-west-1"), ("aws-cn", "cn-north-1"), ("aws-cn", "cn-new-1"), ("aws-us-gov", "us-x-1")]
EXPONENT = 65_537
START = 1_714_557_603_120
YEAR = 365 * 86_400_000


class Key:
    """An RSA key for tests, the same each time."""

    def __init__(self, source):
        p, q = (self.prime(source) for _ in range(2))
        self.modulus, self.size = p * q, 256
        self.primes = [(prime, pow(EXPONENT, -1, prime - 1)) for prime in (p, q)]

    def prime(self, source):
        while True:
            number = source.getrandbits(1_024) | 3 << 1_022 | 1
            is_likely = all(number % small for small in (3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47))
            if is_likely and pow(2, number - 1, number) == 1 and number % EXPONENT != 1:
                return number

    def sign(self, signed, version):
        number = int.from_bytes(pad(signed, version, self.size), "big")
        (p, of_p), (q, of_q) = self.primes
        by_p, by_q = pow(number, of_p, p), pow(number, of_q, q)
        return by_q + q * ((by_p - by_q) * pow(q, -1, p) % p)


def der(tag, *parts):
    body = b"".join(parts)
    size = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
    length = bytes([len(body)]) if len(body) < 128 else bytes([0x80 + len(size)]) + size
    return bytes([tag]) + length + body


def der_number(number):
    return der(2, number.to_bytes(number.bit_length() // 8 + 1, "big"))


def der_time(moment):
    days, rest = divmod(moment // 1_000, 86_400)
    year = 1970
    while days >= (size := 366 if year % 4 == 0 and (year % 100 or year % 400 == 0) else 365):
        days, year = days - size, year + 1
    month = 1
    while days >= (size := 30 + (month + month // 8) % 2 - (month == 2) * (2 if year % 4 else 1)):
        days, month = days - size, month + 1
    digits = f"{year:04}{month:02}{days + 1:02}{rest // 3_600:02}{rest // 60 % 60:02}{rest % 60:02}Z"
    return der(0x17, digits[2:].encode()) if year < 2050 else der(0x18, digits.encode())


def certificate(modulus, common_name, names, not_before, not_after, algorithm="2a864886f70d010101"):
    """A certificate in PEM, with a signature that nobody checks."""
    signed_with = der(0x30, der(6, bytes.fromhex("2a864886f70d01010b")), der(5))
    subject = [der(0x31, der(0x30, der(6, COMMON_NAME), der(0x0C, common_name.encode())))] if common_name else []
    subject = der(0x30, *subject)
    key = der(0x30, der_number(modulus), der_number(EXPONENT))
    spki = der(0x30, der(0x30, der(6, bytes.fromhex(algorithm)), der(5)), der(3, b"\0", key))
    extensions = b""
    if names:
        names = der(0x30, der(0x81, b"a@example.com"), *[der(0x82, name.encode()) for name in names])
        extensions = der(0xA3, der(0x30, der(0x30, der(6, ALTERNATIVES), der(4, names))))
    validity = der(0x30, der_time(not_before), der_time(not_after))
    version = der(0xA0, der(2, b"\2"))
    tbs = der(0x30, version, der_number(77), signed_with, subject, validity, subject, spki, extensions)
    whole = base64.b64encode(der(0x30, tbs, signed_with, der(3, b"\0", b"\x55" * 256))).decode()
    lines = [whole[at : at + 64] for at in range(0, len(whole), 64)]
    return "\n".join(["-----BEGIN CERTIFICATE-----", *lines, "-----END CERTIFICATE-----", ""])


class Inputs(RandomJson):
    escapes = 0.05

    def object(self, members):
        space, parts = self.space, []
        for name, value in members:
            name = self.string(name) if name is not None else self.one_of('"\\ud800"', '"a\\udfff"')
            parts.append(space() + name + space() + ":" + space() + value + space())
        return "{" + ",".join(parts) + "}"

    def array(self, elements):
        return "[" + ",".join(self.space() + element + self.space() for element in elements) + "]"

    def nested(self, levels):
        kinds = [self.one_of(("[", "]"), ('{"a":', "}")) for _ in range(levels)]
        return "".join(begin for begin, _ in kinds) + "1" + "".join(end for _, end in reversed(kinds))

    def value(self):
        return self.one_of(*VALUES, *HALVES, self.string(self.word(ANY, 0, 9)))

    def spoil(self, members, names):
        """Takes a member away, renames it, doubles it, or gives it another value."""
        if not members:
            return
        at = self.random.randrange(len(members))
        name, value = members[at]
        spoiled = self.random.randrange(9)
        if spoiled == 0:
            del members[at]
        elif spoiled == 1:
            members[at] = (self.one_of(*names), value)
        elif spoiled == 2:
            members.insert(self.random.randint(0, len(members)), (name, self.one_of(value, self.value())))
        elif spoiled == 3:
            members.insert(self.random.randint(0, len(members)), (self.one_of(*names), self.value()))
        elif spoiled == 4 and self.chance(0.3):
            members[at] = (None, value)
        elif spoiled == 5 and value.startswith('"'):
            cut = self.random.randint(1, len(value) - 1)
            half = json.dumps(self.one_of(*CONTROLS))[1:-1] if self.chance(0.8) else "\\udc00"
            spoiled = value[:cut] + half + value[cut:]
            members[at] = (name, spoiled if self.is_json(spoiled) else self.value())
        else:
            members[at] = (name, self.value())

    def is_json(self, text):
        try:
            read_json(text)
        except ValueError:
            return False
        return True

    # Events.

    def event(self):
        kind = self.one_of(*KINDS)
        if self.chance(0.2):
            other = self.one_of(*KINDS)
            kind = (kind[0], other[1]) if self.chance(0.5) else ("Alexa." + self.word("AZa.9", 0, 9), kind[1])
        namespace, name = kind
        identifier = self.word(self.one_of(PLAIN, ODD), 1, 36)
        if self.chance(0.06):
            texts = ["", "é" * 128, "x" * self.around(MAX_TEXT), "a b", "x-y", self.word(ANY, 0, 9), "N\n"]
            odd = self.one_of(*texts)
            spoiled = self.random.randrange(3)
            namespace, name, identifier = [
                odd if at == spoiled else text for at, text in enumerate((namespace, name, identifier))
            ]
        version = self.one_of("3.0", "2", "2.0 ", "", self.word(ANY, 0, 3)) if self.chance(0.06) else "2.0"
        unit = [("type", '"Unit"'), ("id", self.string("amzn1.alexa.unit.did." + self.word(PLAIN, 1, 9)))]
        entities = [("unit", self.object(unit))] if self.chance(0.8) else []
        time = [("timestamp", self.string(self.timestamp()))]
        identifiers = [("id", self.string(identifier))]
        types = [("namespace", self.string(namespace)), ("name", self.string(name))]
        for members in (entities, time, identifiers, types):
            if self.chance(0.06):
                self.spoil(members, ["id", "namespace", "name", "timestamp", "unit", "a/b", "x" * 40])
        header = [
            ("version", self.string(version)),
            ("eventId", self.object(identifiers)),
            ("eventType", self.object(types)),
            ("eventTime", self.object(time)),
            ("entities", self.object(entities)),
        ]
        payload = [("a", self.value()), (self.one_of("b", "a", "é"), self.value())][: self.random.randint(0, 2)]
        if self.chance(0.05):
            payload.append(("deep", self.nested(self.one_of(3, 60, self.around(MAX_DEPTH - 2)))))
        for _ in range(self.one_of(0, 0, 0, 1, 2) if self.chance(0.5) else 0):
            self.spoil(header, ["version", "eventId", "eventType", "eventTime", "entities", "x"])
        if self.chance(0.3):
            self.random.shuffle(header)
        whole = [("header", self.object(header)), ("payload", self.object(payload))]
        if self.chance(0.12):
            self.spoil(whole, ["header", "payload", "Type", "x"])
        if self.chance(0.3):
            self.random.shuffle(whole)
        text = self.space() + self.object(whole) + self.space()
        if self.chance(0.04):
            text = self.one_of(*NOT_OBJECTS, json.dumps(text), "[" + text + "]", "\ufeff" + text, text + "x", text[:-1])
        if self.chance(0.008):
            text += " " * (self.around(MAX_EVENT) - len(text.encode()))
        return text

    def timestamp(self):
        if self.chance(0.8):
            return f"2024-05-01T1{self.random.randint(0, 9)}:00:00.{self.random.randint(0, 999):03}Z"
        return self.one_of(
            "yesterday", "", "2024-05-01", "2024-05-01 10:00:00Z", "2024-02-30T10:00:00Z", "2024-02-29T10:00:00z",
            "2024-05-01T10:00:00", "2024-05-01t12:00:00.5+02:00", "2024-05-01T10:00:00.123456789123Z",
            "1900-02-29T1:0:0Z", "1969-12-31T23:59:59.9999Z", "2024-05-01T24:00:00Z", "2024-05-01T10:00:00.Z",
            "2024-05-01T10:00:00-00:00",
            "2024-05-01T10:00:00+0200", "2024-13-01T10:00:00Z", "2023-02-29T10:00:00Z", "2024-12-31T23:59:59-23:59",
            "2024-05-01T10:00:00٠Z", " 2024-05-01T10:00:00Z", self.word(ANY, 0, 9),
        )

    # Envelopes.

    def topic(self, place):
        return f"arn:{place[0]}:sns:{place[1]}:123456789012:" + self.one_of("asp-events", "t", "a_b.fifo")

    def cert_url(self, place):
        return f"https://sns.{place[1]}.{DOMAINS[place[0]]}/SimpleNotificationService-{'0123456789abcdef' * 2}.pem"

    def message_id(self):
        digits = "0123456789abcdefABCDEF" if self.chance(0.1) else "09af"
        return "-".join(self.word(digits, size, size) for size in (8, 4, 4, 4, 12))

    def envelope(self, place, message, timestamp):
        """The texts of a message, in the order in which SNS writes them."""
        kind = NOTIFICATION if self.chance(0.75) else self.one_of(*CONFIRMATIONS)
        topic = self.topic(place)
        envelope = {"Type": kind, "MessageId": self.message_id(), "TopicArn": topic}
        if kind != NOTIFICATION:
            envelope["Token"] = self.word(PLAIN, 0, 20)
            query = f"?Action=ConfirmSubscription&TopicArn={topic}&Token={envelope['Token']}"
            envelope["SubscribeURL"] = f"https://sns.{place[1]}.{DOMAINS[place[0]]}/{query}"
        elif self.chance(0.3):
            envelope["Subject"] = self.word(ODD, 0, 9)
        envelope.update(Message=message, Timestamp=timestamp)
        return envelope

    def body(self, envelope, is_lambda=False):
        """The members of an envelope, of which one may be wrong."""
        if self.chance(0.04):
            name = self.one_of(*[name for name in envelope if name not in ("Type", "Message")])
            at = self.random.randint(0, len(envelope[name]))
            envelope = {**envelope, name: envelope[name][:at] + self.one_of(*CONTROLS) + envelope[name][at:]}
        members = [(name, self.string(value)) for name, value in envelope.items()]
        if envelope["Type"] == NOTIFICATION:
            if self.chance(0.5):
                members.append(("UnsubscribeURL", '"https://example.com/"'))
            if self.chance(0.2):
                members.append(("MessageAttributes", self.one_of("{}", '{"a":{"Type":"String","Value":"x"}}', "null")))
            if "Subject" not in envelope and self.chance(0.5 if is_lambda else 0.1):
                members.append(("Subject", "null"))
            if self.chance(0.05):
                members += [("Token", self.value()), ("SubscribeURL", self.value())]
        if is_lambda or self.chance(0.05):
            members = [(re.sub("^(SigningCert|Unsubscribe)URL$", "\\1Url", name), value) for name, value in members]
        if self.chance(0.05):
            url = self.one_of("SigningCertURL", "SigningCertUrl", "UnsubscribeURL", "UnsubscribeUrl")
            same = self.string(envelope["SigningCertURL"])
            members.append((url, self.one_of('"https://example.com/"', "null", same)))
        if self.chance(0.02):
            members = [member for member in members if not member[0].startswith("Sign")]
            members.append(("SequenceNumber", '"1"'))
        if self.chance(0.05):
            del members[self.random.randrange(len(members))]
        if self.chance(0.2):
            self.spoil(members, [*MEMBERS, *MORE, "Records", "header", "payload", "x"])
        if self.chance(0.05):
            other = self.string(self.word("0-a", 36, 36))
            odd = self.one_of(("Type", '"notification"'), ("MessageId", '"abc"'), ("MessageId", other))
            members = [odd if member[0] == odd[0] else member for member in members]
        if self.chance(0.3):
            self.random.shuffle(members)
        return self.object(members)

    def record(self, envelope, messages):
        if self.chance(0.5):
            sns = self.body(envelope, is_lambda=self.chance(0.8))
            members = [("EventSource", '"aws:sns"'), ("EventVersion", '"1.0"'), ("Sns", sns)]
        else:
            body = self.one_of(self.body(envelope), self.body(envelope), messages(), "hello")
            if self.chance(0.05):
                body = self.one_of('{"Records":[]}', '{"Records":[1],"Records":[]}', '{"Records":{}}', "")
            members = [("messageId", self.string(self.one_of("q-1", self.word(ODD, 0, 5))))]
            members += [("eventSource", '"aws:sqs"'), ("body", self.string(body))]
        if self.chance(0.1):
            self.spoil(members, ["Sns", "body", "eventSource", "messageId", "x"])
        if self.chance(0.05):
            return self.one_of('{"EventSource":"aws:s3"}', self.value(), '{"Sns":"x","body":"{}"}', self.body(envelope))
        return self.object(members)

    def records(self, envelopes, messages):
        if self.chance(0.005):
            return '{"Records":[' + ",".join("0" * self.around(MAX_RECORDS)) + "]}"
        records = [self.record(envelope, messages) for envelope in envelopes]
        members = [("Records", self.array(records))]
        if self.chance(0.05):
            self.spoil(members, ["Records", "Type", "x"])
        return self.object(members)

    def members(self, text):
        """A payload as text, as hex, or as the object it is, now and then with something wrong with it as a whole."""
        raw = text.encode()
        if self.chance(0.04):
            raw = self.one_of(
                raw + b"\0", raw + b"x", b"\xef\xbb\xbf" + raw, raw + b"\xff", raw[:-1], b"[" + raw + b"]",
                *[whole.encode() for whole in NOT_OBJECTS],
            )
        if self.chance(0.02):
            return self.one_of(
                "{}", '{"payload":null}', '{"payload":"","payloadHex":""}', '{"payload":7}', '{"payload":[]}',
                '{"payload":"\\ud800"}', '{"payloadHex":"0"}', '{"payloadHex":"0g"}', '{"payloadHex":[]}',
                '{"payload":{}}',
            )[1:-1]
        try:
            text = raw.decode()
        except UnicodeDecodeError:
            return '"payloadHex":"' + self.one_of(raw.hex(), raw.hex().upper()) + '"'
        if self.chance(0.4) and is_object(text):
            return '"payload":' + text
        if self.chance(0.2):
            return '"payloadHex":"' + raw.hex() + '"'
        return '"payload":' + json.dumps(text, ensure_ascii=self.chance(0.5))

    def line(self, parts):
        """On one line, and now and then something that is none."""
        self.random.shuffle(parts)
        line = ("{" + ",".join(part for part in parts if part) + "}").replace("\n", " ").replace("\r", " ")
        if self.chance(0.005):
            odd = ["[]", "null", "7", '"text"', "{'a':1}", '{"a":NaN}']
            line = self.one_of(*odd, line[:-1], line + "}", "[" + line + "]")
        return line

    def smart_properties(self):
        place = self.one_of(*PLACES)
        via = self.one_of("http", "http", "sqs", "lambda", "raw")

        def message():
            return self.event() if self.chance(0.85) else self.word(ANY, 0, 20)

        def envelope():
            timestamp = self.timestamp() if self.chance(0.1) else "2024-05-01T10:00:03.120Z"
            envelope = self.envelope(place, message(), timestamp)
            return {**envelope, "SignatureVersion": "2", "Signature": "c2ln", "SigningCertURL": self.cert_url(place)}

        headers = []
        whole = envelope()
        if via == "raw" or (via != "http" and self.chance(0.2)) or self.chance(0.02):
            text = message()
        elif via == "lambda" and self.chance(0.9) or self.chance(0.03):
            text = self.records([envelope() for _ in range(self.one_of(0, 1, 1, 2, 3))], message)
        elif self.chance(0.03):
            inner = self.body(whole)
            text = self.body({**whole, "Type": NOTIFICATION, "Message": inner})
        else:
            text = self.body(whole)
            if self.chance(0.3):
                names = {"message-type": "Type", "message-id": "MessageId", "topic-arn": "TopicArn"}
                headers = [("x-amz-sns-" + header, self.string(whole[name])) for header, name in names.items()]
        if headers and self.chance(0.3):
            self.spoil(headers, ["x-amz-sns-message-type", "X-Amz-Sns-Message-Id", "X-AMZ-SNS-TOPIC-ARN"])
        if self.chance(0.05):
            headers.append(("X-Amz-Sns-RawDelivery", self.one_of('"true"', '" TRUE"', '"false"', '"1"', '"truest"')))
        headers = [(name.title() if name and self.chance(0.2) else name, value) for name, value in headers]
        parts = [self.members(text)]
        if headers or self.chance(0.3):
            odd = self.one_of("null", "[]", "7", '"x"')
            parts.append('"headers":' + (odd if self.chance(0.03) else self.object(headers)))
        if self.chance(0.01):
            via = self.one_of("HTTP", "", "email", None)
        parts.append('"via":' + (self.string(via) if via is not None else self.one_of("null", "5", '"\\ud800"')))
        return self.line(parts)

    # Signatures.

    def prepare(self):
        """A key, its certificates, and messages that are signed with it: too many would take too long."""
        self.key = Key(self.random)
        sizes = (1_024, 2_047, 2_049, 3_072, 8_192, 8_200)
        odd_keys = [self.random.getrandbits(bits) | 1 << bits - 1 | 1 for bits in sizes]
        self.certificates = {}
        spans = [(START - YEAR, START + 30 * YEAR), (START - 2 * YEAR, START - YEAR), (START + YEAR, START + 2 * YEAR)]
        for place in PLACES:
            name = signing_name(*place)
            made = [certificate(self.key.modulus, "x", ["a.example", name], *spans[0])] * 60
            made.append(certificate(self.key.modulus, name, [], *spans[0]))
            made += [certificate(self.key.modulus, name, ["a.example"], *spans[0])]
            others = ([], ["*." + name[4:]], [name.upper()])
            made += [certificate(self.key.modulus, "", names, *spans[0]) for names in others]
            made += [certificate(self.key.modulus, "x", [self.one_of(name, "y")], *span) for span in spans[1:]]
            made += [certificate(modulus, "x", [name], *spans[0]) for modulus in odd_keys]
            made.append(certificate(self.key.modulus, "x", [name], *spans[0], "2a864886f70d01010a"))
            made.append(certificate(self.key.modulus, "x", [name], *self.one_of(*spans), "2a8648ce3d0201"))
            good, other = made[0], made[-2]
            made += ["", "no certificate", good[:200], good.replace("CERT", "cert"), good + other, other + good]
            made += ["subject=x\n" + good, good.replace("\n", "\r\n"), good.rstrip(), good[:40] + "*" + good[41:]]
            self.certificates[place] = made
        self.signed = []
        for _ in range(300):
            place = self.one_of(*PLACES[:1] * 4, *PLACES)
            timestamp = "2024-05-01T10:00:03.120Z" if self.chance(0.8) else self.timestamp()
            message = self.event() if self.chance(0.3) else self.word(ANY, 0, 40)
            timestamp = "".join(char for char in timestamp if not is_control(char))
            envelope = self.envelope(place, message, timestamp)
            version = self.one_of("1", "2")
            signature = self.key.sign(string_to_sign(envelope), version)
            signature = base64.b64encode(signature.to_bytes(self.key.size, "big")).decode()
            envelope.update(SignatureVersion=version, Signature=signature, SigningCertURL=self.cert_url(place))
            self.signed.append((place, envelope, self.certificates[place]))
        # Those of the specification.
        vectors = Path(__file__).parents[3] / "smart-properties/tests/vectors"
        names = [*["C-GOOD"] * 9, "C-EXPIRED", "C-NAME", "C-EC"]
        made = [(vectors / f"certificates/{name}.pem").read_text() for name in names]
        for vector in (vectors / "envelopes.jsonl").read_text().splitlines():
            body = json.loads(vector)["body"]
            if "Records" not in body:
                body.pop("UnsubscribeURL", None)
                self.signed.append((PLACES[0], body, made))

    def signature(self, signature):
        number = base64.b64decode(signature)
        at = self.random.randrange(len(number))
        return self.one_of(
            signature + "\n", signature.replace("+", "-").replace("/", "_"), signature.rstrip("="), signature[:-4],
            signature + "====", signature[:-3] + self.one_of("B==", "R==", "==="), "", "*", " " + signature,
            *[base64.b64encode(bytes(other)).decode() for other in (
                number[:at] + bytes([number[at] ^ 1]) + number[at + 1 :], b"\0" * 255, b"\0" * 256, b"\xff" * 256,
                number + b"\0", b"\0" + number, (int.from_bytes(number, "big") + self.key.modulus).to_bytes(257,
                "big"),
            )],
        )

    def url(self, url):
        host, file = url[8:].split("/")
        other_hosts = [
            f"{host}.evil.example", f"{host}@evil.example", f"evil.example/{host}", f"{host}:443", f"{host}.",
            host.upper(),
            f"{host}\\@x", f"sns%2e{host}", host.replace("sns.", "sns.s3-"), host.replace("sns.", ""), "",
            "a" * 600 + "@",
        ]
        other_files = [
            "?x=.pem", file + "?x=1", file + "#f", "a/../" + file, file[:-3] + "PEM", "x.pem", file.replace("0123",
            "012"),
            file.replace("abcdef", "ABCDEF"), "a" * self.around(MAX_URL - len(host) - 9), file + "\n", file + "/",
            file + "é",
        ]
        return self.one_of(
            *[f"https://{other}/{file}" for other in other_hosts],
            *[f"https://{host}/{other}" for other in other_files],
            url.replace("https", "http"), url.replace("https", "HTTPS"), url.upper(), "", "https://", "https:///",
            f"https://{host}", f"https://{host}:1", self.cert_url(self.one_of(*PLACES)), self.word("htps:/.sna-", 0,
            30),
        )

    def arn(self, arn):
        begin = arn[: arn.rindex(":") + 1]
        return self.one_of(
            arn.replace(":sns:", ":sqs:"), arn.replace("arn:aws", "arn:aws-iso"), arn + ":x", arn.replace("arn",
            "urn"),
            arn.replace("-1:", "-123:"), arn.replace("us-", "US-"), arn.replace("us-east-1", "us"), "", "asp-events",
            begin,
            arn.replace("123456789012", "12345"), arn.replace("123456789012", "12345678901٣"), arn + ".x", arn + "é",
            begin + "s" * self.around(256), arn + " ", self.topic(self.one_of(*PLACES)),
        )

    def sns_verify(self):
        place, envelope, certificates = self.one_of(*self.signed)
        good = envelope["TopicArn"]
        envelopes = [dict(self.one_of(*self.signed)[1] if at else envelope) for at in range(self.one_of(1, 1, 1, 2, 3))]
        for wrong in envelopes:
            if self.chance(0.1):
                name = self.one_of("Message", "MessageId", "Timestamp", "Subject", "Token", "SubscribeURL")
                if name in wrong:
                    wrong[name] = self.message_id() if name == "MessageId" else wrong[name] + self.one_of("x", "é")
            if self.chance(0.05):
                wrong["SignatureVersion"] = self.one_of("1", "2", "3", "", "02", "2 ")
            if self.chance(0.08):
                wrong["Signature"] = self.signature(wrong["Signature"])
            if self.chance(0.1):
                wrong["SigningCertURL"] = self.url(wrong["SigningCertURL"])
            if self.chance(0.06):
                wrong["TopicArn"] = self.arn(good)
        if len(envelopes) > 1 or self.chance(0.2):
            text = self.records(envelopes if self.chance(0.98) else [], lambda: '{"header":{},"payload":{}}')
        else:
            text = self.body(envelopes[0])
        if self.chance(0.01):
            text = '{"header":{},"payload":{}}'
        parts = [self.members(text)]
        pem = self.one_of(*certificates)
        parts.append('"certificatePem":' + (self.one_of("null", "7") if self.chance(0.005) else self.string(pem)))
        sent, max_age = millis(envelope["Timestamp"]), self.one_of(None, None, 0, 60_000, 4_500_000, 2**64 - 1)
        now = (sent or START) + self.one_of(0, 0, 1_000, self.around(-MAX_SKEW), self.around(max_age or 0) % 2**40)
        if self.chance(0.05):
            now = self.one_of(
                0, -(2**63), 2**63 - 1,
                *[START + years * YEAR + offset for years in (-2, -1, 1, 30) for offset in (-1_121, -120)],
            )
        odd = self.one_of("null", "1.5", '"1"', "1e3", str(2**63), "[]") if self.chance(0.01) else str(now)
        parts.append('"now":' + odd)
        if max_age is not None:
            odd = self.one_of("-1", "1.0", '"1"', str(2**64), "-0", "null") if self.chance(0.02) else str(max_age)
            parts.append('"maxAgeMs":' + odd)
        if self.chance(0.3):
            topic = self.one_of(*[good] * 8, envelopes[0]["TopicArn"], self.topic(place), self.arn(good), "x")
            odd = self.one_of("null", "7", '"\\ud800"')
            parts.append('"topicArn":' + (odd if self.chance(0.03) else self.string(topic)))
        return self.line(parts)
