"""Logins of Alibaba Cloud's AMQP endpoint, signed, read and verified a second time: with Python's own crypto.

    amqp_reference.py sign|parse|verify COUNT

prints COUNT random inputs of `inspect amqp-sign`, `amqp-parse` or `amqp-verify`, one JSON object a line: the "input"
line, and what must come of it: the "ok", or the "errors" of which any may be told. There is more than one only where
several things are wrong in a user name and no order of the checks is specified; what is to be signed has an order. The
seed is fixed. Standard library only.
"""

import base64
import hashlib
import hmac
import json
import re
import sys
import unicodedata

from random_json import RandomJson

HASHES = {"hmacmd5": hashlib.md5, "hmacsha1": hashlib.sha1, "hmacsha256": hashlib.sha256}
RESERVED = ["iotInstanceId", "authMode", "securityToken", "signMethod", "consumerGroupId", "authId", "timestamp"]
LARGEST = 2**63 - 1
# In milliseconds, 64 bits each.
MOMENTS, SPANS = range(-(2**63), 2**63), range(2**64)

# What a signature is.


class Refused(Exception):
    """What may be told of an input that is refused."""

    def __init__(self, kind, **details):
        super().__init__(kind)
        self.errors = [{"kind": kind, **details}]


def string_to_sign(auth_id, token, timestamp):
    signed = {"authId": auth_id, "timestamp": timestamp}
    if token is not None:
        signed["securityToken"] = token
    return "&".join(f"{key}={signed[key]}" for key in sorted(signed))


def password(method, secret, text):
    return base64.b64encode(hmac.digest(secret.encode(), text.encode(), HASHES[method])).decode()


def ascii_lower(text):
    return "".join(chr(ord(c) + 32) if "A" <= c <= "Z" else c for c in text)


def is_control(char):
    return unicodedata.category(char) == "Cc"


def offset(text, is_wrong):
    """Where in UTF-8 the first wrong character stands; none when there is none."""
    return next((len(text[:i].encode()) for i, char in enumerate(text) if is_wrong(char)), None)


# What the commands say.


def sign(line):
    client_id, instance = text(line, "clientId"), text(line, "iotInstanceId", True)
    group, auth_id = text(line, "consumerGroupId"), text(line, "accessKeyId")
    secret, token = text(line, "accessSecret"), text(line, "securityToken", True)
    method, timestamp = ascii_lower(text(line, "signMethod")), integer(line, "timestamp")

    if not client_id:
        raise Refused("ClientIdEmpty")
    if len(client_id) > 64:
        raise Refused("ClientIdTooLong", chars=len(client_id))
    if (at := offset(client_id, lambda c: c == "|" or is_control(c))) is not None:
        raise Refused("ClientIdForbiddenChar", index=at, ch=client_id.encode()[at:].decode()[0])
    for name, value in (("consumerGroupId", group), ("authId", auth_id), ("accessSecret", secret)):
        if not value:
            raise Refused("Empty", field=name)
    refuse_forbidden("consumerGroupId", group)
    if (at := offset(instance or "", lambda c: not re.fullmatch("[A-Za-z0-9_-]", c))) is not None:
        raise Refused("ForbiddenChar", field="iotInstanceId", index=at)
    if method not in HASHES:
        raise Refused("UnknownSignMethod")
    refuse_forbidden("authId", auth_id)
    if token == "":
        raise Refused("MissingSecurityToken")
    refuse_forbidden("securityToken", token or "")
    if timestamp < 0:
        raise Refused("BadTimestamp", field="timestamp")

    params = [("iotInstanceId", instance)] if instance else []
    params += [("authMode", "aksign")] if token is None else [("authMode", "ststoken"), ("securityToken", token)]
    params += [("signMethod", method), ("consumerGroupId", group), ("authId", auth_id), ("timestamp", timestamp)]
    user_name = client_id + "|" + ",".join(f"{key}={value}" for key, value in params) + "|"
    signed = string_to_sign(auth_id, token, timestamp)
    mac = password(method, secret, signed)
    plain = b"\0" + user_name.encode() + b"\0" + mac.encode()
    return {"userName": user_name, "stringToSign": signed, "password": mac, "saslPlainHex": plain.hex()}


def refuse_forbidden(name, value):
    if (at := offset(value, lambda c: c in ",|" or is_control(c))) is not None:
        raise Refused("ForbiddenChar", field=name, index=at)


def read_user_name(raw):
    """The client id, the parameters, and the extensions of a user name."""
    try:
        name = raw.decode()
    except UnicodeDecodeError as error:
        raise Refused("NotUtf8", index=error.start) from error
    if (at := offset(name, is_control)) is not None:
        raise Refused("ForbiddenChar", index=at)
    client_id, opening, rest = name.partition("|")
    if not opening:
        raise Refused("MissingOpeningBar")
    if not client_id:
        raise Refused("ClientIdEmpty")
    if len(client_id) > 64:
        raise Refused("ClientIdTooLong", chars=len(client_id))
    between, closing, trailing = rest.partition("|")
    if not closing:
        raise Refused("MissingClosingBar")
    if trailing:
        raise Refused("TrailingData")
    params = {}
    for param in between.split(","):
        key, equals, value = param.partition("=")
        if not param:
            raise Refused("EmptyParam")
        if not equals:
            raise Refused("MissingEquals")
        if key in params:
            raise Refused("DuplicateKey", field=key)
        if not re.fullmatch("[A-Za-z0-9]+", key):
            raise Refused("BadKey")
        if not value and key not in RESERVED:
            raise Refused("Empty", field="extension")
        params[key] = value
    if "authMode" in params and params["authMode"] not in ("aksign", "ststoken"):
        raise Refused("UnknownAuthMode")
    if "signMethod" in params and ascii_lower(params["signMethod"]) not in HASHES:
        raise Refused("UnknownSignMethod")
    must = [key for key in RESERVED if key not in ("iotInstanceId", "securityToken")]
    sts = params.get("authMode") == "ststoken"
    # Keys that are not there come before the token; what is there and empty has no place in that order.
    refused = [{"kind": "Missing", "field": key} for key in ["authMode", "signMethod", *must] if key not in params][:1]
    if not refused and sts and "securityToken" not in params:
        refused = [{"kind": "Missing", "field": "securityToken"}]
    elif not refused and not sts and "securityToken" in params:
        refused = [{"kind": "UnexpectedSecurityToken"}]
    not_empty = ["consumerGroupId", "authId"] + (["securityToken"] if sts else [])
    refused += [{"kind": "Empty", "field": key} for key in not_empty if params.get(key) == ""]
    if refused:
        error = Refused("")
        error.errors = refused
        raise error
    if not re.fullmatch("[0-9]{1,19}", params["timestamp"]) or int(params["timestamp"]) > LARGEST:
        raise Refused("BadTimestamp")
    return client_id, params, {key: value for key, value in params.items() if key not in RESERVED}


def parse(line):
    client_id, params, extensions = read_user_name(raw_user_name(line))
    return {
        "clientId": client_id,
        "iotInstanceId": params.get("iotInstanceId") or None,
        "authMode": params["authMode"],
        "signMethod": ascii_lower(params["signMethod"]),
        "consumerGroupId": params["consumerGroupId"],
        "authId": params["authId"],
        "timestamp": int(params["timestamp"]),
        "securityToken": "securityToken" in params,
        "extensions": extensions,
    }


def verify(line):
    raw = raw_user_name(line)
    received, secret, now = text(line, "password"), text(line, "accessSecret"), integer(line, "now")
    window, expiry = integer(line, "windowMs", True, SPANS), integer(line, "tokenExpiresAt", True)
    client_id, params, _ = read_user_name(raw)
    token = params.get("securityToken")
    signed = string_to_sign(params["authId"], token, params["timestamp"])
    if received != password(ascii_lower(params["signMethod"]), secret, signed):
        raise Refused("BadCredentials")
    age = now - int(params["timestamp"])
    if window is not None and age > window:
        raise Refused("Stale", ageMs=age)
    if window is not None and -age > window:
        raise Refused("Future", aheadMs=-age)
    if token is not None and expiry is not None and now >= expiry:
        raise Refused("TokenExpired")
    return {"authId": params["authId"], "clientId": client_id, "consumerGroupId": params["consumerGroupId"]}


def text(line, name, optional=False):
    value = line.get(name)
    if value is None and optional:
        return None
    if not isinstance(value, str) or any("\ud800" <= char <= "\udfff" for char in value):
        raise Refused("BadInput", field=name)
    return value


def integer(line, name, optional=False, bounds=MOMENTS):
    value = line.get(name)
    if value is None and optional:
        return None
    if type(value) is not int or value not in bounds:
        raise Refused("BadInput", field=name)
    return value


def raw_user_name(line):
    name, digits = text(line, "userName", True), text(line, "userNameHex", True)
    if (name is None) == (digits is None):
        raise Refused("BadInput")
    if name is not None:
        return name.encode()
    if len(digits) % 2 or not re.fullmatch("[0-9A-Fa-f]*", digits):
        raise Refused("BadInput", field="userNameHex")
    return bytes.fromhex(digits)


# Random inputs: good ones, of which most have something wrong done to them.

PLAIN = "abcxyzABCXYZ0123456789"
# Legal in a value: what JSON, URLs or shells would treat, and characters of two to four bytes.
ODD = PLAIN + "=&+/%:;.~_-@ \"'\\<>?#×é\u00a0\u2028密\U0001f600\ufeff"
CONTROLS = "\0\t\n\r\x1b\x1f\x7f\x80\x85\x9f"
ANY = ODD + CONTROLS + ",|"
METHODS = list(HASHES)
OTHER_TYPES = [7, 1.5, True, [], ["x"], {}, {"x": "y"}, "\ud800", "\udc00x"]
SECRET_SIZES = [1, 30, 63, 64, 65, 80, 200]


class Inputs(RandomJson):
    def mixed_case(self, word):
        return "".join(self.one_of(c.upper(), c) for c in word) if self.chance(0.2) else word

    def client_id(self):
        least = self.one_of(1, 1, 1, 63, 64)
        return self.word(self.one_of(PLAIN, ODD + ",", ",=é密\U0001f600"), least, 64)

    def value(self, most=40):
        return self.word(self.one_of(PLAIN, PLAIN, ODD), 1, most)

    def token(self):
        long = self.chance(0.1)
        body = self.word(PLAIN + "+/", 700, 3000) if long else self.value(60)
        return body + self.one_of("", "=", "==")

    def timestamp(self):
        return self.one_of(
            self.random.randint(1_500_000_000_000, 1_800_000_000_000),
            self.random.randint(0, LARGEST),
            self.random.randint(0, 999),
            self.one_of(0, 1, LARGEST, LARGEST - 1, 1_573_489_088),
        )

    def secret(self):
        size = self.one_of(*SECRET_SIZES)
        return self.word(self.one_of(PLAIN, ANY), size, size)

    def with_char(self, value, alphabet):
        at = self.random.randint(0, len(value))
        return value[:at] + self.random.choice(alphabet) + value[at:]

    def spoil_type(self, line):
        """Takes a member away, or makes it something else."""
        name = self.random.choice(sorted(line))
        if self.chance(0.3):
            del line[name]
        elif self.chance(0.3):
            line[name] = None
        elif isinstance(line[name], int):
            line[name] = self.one_of("7", str(line[name]), 2**64, -(2**63) - 1, 1.5, False, [], {})
        else:
            line[name] = self.random.choice(OTHER_TYPES)

    def sign(self):
        line = {
            "clientId": self.client_id(),
            "consumerGroupId": self.value(),
            "accessKeyId": self.value(),
            "accessSecret": self.secret(),
            "signMethod": self.mixed_case(self.random.choice(METHODS)),
            "timestamp": self.timestamp(),
        }
        if self.chance(0.5):
            line["iotInstanceId"] = self.one_of("", None, self.word(PLAIN + "_-", 1, 40))
        if self.chance(0.5):
            line["securityToken"] = self.one_of(None, self.token(), self.token())
        members = ["clientId", "consumerGroupId", "accessKeyId", "securityToken", "iotInstanceId"]
        members += ["accessSecret", "signMethod", "timestamp"]
        for spoiled in self.random.sample(members, self.one_of(0, 0, 0, 1, 1, 1, 2)):
            self.spoil_sign(line, spoiled)
        if self.chance(0.1):
            self.spoil_type(line)
        return line

    def spoil_sign(self, line, spoiled):
        if spoiled == "clientId":
            line[spoiled] = self.one_of(
                "", self.word(ODD, 65, 66), self.word(ANY, 65, 200), "é" * 65,
                self.with_char(self.word(ODD, 0, 63), CONTROLS + "|"),
            )
        elif spoiled == "accessSecret":
            line[spoiled] = ""
        elif spoiled == "signMethod":
            line[spoiled] = self.one_of(
                "", "hmacsha512", "HMAC-SHA1", "hmacsha1 ", " hmacmd5", "sha256", "hmac\u017fha1", self.word(ANY, 1, 9)
            )
        elif spoiled == "timestamp":
            line[spoiled] = self.one_of(-1, -(2**63), -self.random.randint(1, LARGEST), 2**63)
        elif spoiled == "iotInstanceId":
            line[spoiled] = self.one_of('""', " ", self.with_char(self.word(PLAIN, 0, 20), ANY.replace("-", "")))
        else:
            line[spoiled] = self.one_of("", self.with_char(self.word(ODD, 0, 40), CONTROLS + ",|"))

    def login(self):
        """A good user name as its client id and parameters, and the text of its timestamp."""
        timestamp = self.timestamp()
        digits = str(timestamp)
        if len(digits) < 19 and self.chance(0.1):
            digits = digits.zfill(self.random.randint(len(digits), 19))
        params = [
            ("authMode", "aksign"),
            ("signMethod", self.mixed_case(self.random.choice(METHODS))),
            ("consumerGroupId", self.value()),
            ("authId", self.value()),
            ("timestamp", digits),
        ]
        if self.chance(0.5):
            params[0] = ("authMode", "ststoken")
            params.insert(1, ("securityToken", self.token()))
        if self.chance(0.5):
            params.insert(0, ("iotInstanceId", self.one_of("", self.value())))
        for index in range(self.one_of(0, 0, 0, 1, 3)):
            params.append((self.one_of("encode", "AuthMode", self.word(PLAIN, 1, 8)) + str(index), self.value()))
        if self.chance(0.3):
            self.random.shuffle(params)
        return self.client_id(), params

    @staticmethod
    def join(client_id, params):
        return client_id + "|" + ",".join(f"{key}={value}" for key, value in params) + "|"

    def spoiled_name(self):
        """A user name with something wrong, in bytes."""
        client_id, params = self.login()
        at = self.random.randrange(len(params))
        key, value = params[at]
        places = {key: index for index, (key, _) in enumerate(params)}
        spoiled = self.random.randrange(14)
        if spoiled == 0:
            client_id = self.one_of("", self.word(ODD, 65, 70), "é" * 64, "é" * 65)
        elif spoiled == 1:
            params.insert(self.random.randint(0, len(params)), (key, self.value()))
        elif spoiled == 2:
            del params[at]
        elif spoiled == 3:
            params[at] = (key, "")
        elif spoiled == 4:
            params[places["authMode"]] = ("authMode", self.one_of("AKSIGN", "ststoken ", "", "aksign", "ststoken"))
        elif spoiled == 5:
            params[places["signMethod"]] = ("signMethod", self.one_of("", "hmacsha512", "HMACMD5", "hmac\u017fha1"))
        elif spoiled == 6:
            wrong = ["", "-1", "+1", "1.0", " 1", "1e3", "0x1", "9" * 19, "0" * 20, str(LARGEST), str(LARGEST + 1), "١"]
            params[places["timestamp"]] = ("timestamp", self.random.choice(wrong))
        elif spoiled == 7:
            params[at] = (self.one_of("", "a-b", "é", " authId", "x y"), value)
        elif spoiled == 8 and "securityToken" not in places:
            params.append(("securityToken", self.one_of("t", "")))
        elif spoiled == 9:
            params = params[: self.one_of(0, 1, 3)]
        name = self.join(client_id, params)
        if spoiled == 10:
            cut = name.rpartition("=")[0]
            name = self.one_of(name[:-1], name + "|", name + self.value(), name.replace("|", ""), cut)
        elif spoiled == 11:
            name = name.replace(",", self.one_of(",,", ",x,", ", "), 1) if "," in name else name
        elif spoiled == 12:
            name = self.with_char(name, CONTROLS)
        raw = name.encode()
        if spoiled == 13:
            at = self.random.randint(0, len(raw))
            raw = raw[:at] + self.one_of(b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\x80", b"\xf0\x9f") + raw[at:]
        return raw

    def name_members(self, raw):
        """A user name as text, or as hex, which it must be where it is no text."""
        digits = self.one_of(raw.hex(), raw.hex().upper())
        try:
            name = raw.decode()
        except UnicodeDecodeError:
            return {"userNameHex": digits}
        return self.one_of({"userName": name}, {"userName": name}, {"userNameHex": digits})

    def parse(self):
        raw = self.join(*self.login()).encode() if self.chance(0.4) else self.spoiled_name()
        line = self.name_members(raw)
        if self.chance(0.05):
            line = self.one_of(
                {}, {"userName": "", "userNameHex": ""}, {"userNameHex": raw.hex()[1:]}, {"userNameHex": raw.hex() + " "},
                {"userName": None}, {"userName": self.random.choice(OTHER_TYPES)}, {"userNameHex": "0g"},
            )
        return line

    def verify(self):
        client_id, params = self.login()
        known, secret = dict(params), self.secret()
        method, token = ascii_lower(known["signMethod"]), known.get("securityToken")
        right = password(method, secret, string_to_sign(known["authId"], token, known["timestamp"]))
        line = {"password": right, "accessSecret": secret, "now": int(known["timestamp"])}
        if self.chance(0.7):
            window = self.one_of(0, 1, 600_000, self.random.randint(0, 10**12), LARGEST, 2**64 - 1)
            line["windowMs"] = window
            line["now"] += self.one_of(0, window, window + 1, -window, -window - 1, window // 2)
        elif self.chance(0.5):
            line["windowMs"] = None
            line["now"] = self.random.randint(-(2**63), LARGEST)
        line["now"] = max(-(2**63), min(line["now"], LARGEST))
        if self.chance(0.5):
            expiry = line["now"] + self.one_of(0, 1, 1, -1, 3_600_000)
            line["tokenExpiresAt"] = max(-(2**63), min(expiry, LARGEST))
        tampered = self.random.randrange(12)
        if tampered == 0:
            line["password"] = self.other_password(right, secret, method)
        elif tampered == 1:
            line["accessSecret"] = self.one_of(secret + "x", secret[1:], secret.swapcase(), self.secret(), "")
        elif tampered == 2:
            # Of these only authId, token and timestamp are signed, and the method decides how.
            at = self.random.randrange(len(params))
            key, value = params[at]
            params[at] = (key, self.one_of(value + "0", "1" + value, value[:-1] or "2"))
        elif tampered == 3:
            client_id = self.client_id()
        raw = self.spoiled_name() if tampered == 4 else self.join(client_id, params).encode()
        line |= self.name_members(raw)
        if tampered == 5:
            self.spoil_type(line)
        elif tampered == 6 and "windowMs" in line:
            line["windowMs"] = self.one_of(-1, -(2**63), "1", 0.5)
        return line

    def other_password(self, right, secret, method):
        """The right password in a way that does not count, or a wrong one."""
        last = len(right.rstrip("=")) - 1
        alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
        # The last digit has bits that stand for nothing: with another of them the bytes are the same.
        same_bytes = right[:last] + alphabet[alphabet.index(right[last]) ^ 1] + right[last + 1 :]
        at = self.random.randint(0, last)
        another = alphabet[(alphabet.index(right[at]) + self.random.randint(1, 63)) % 64]
        return self.one_of(
            "", right.rstrip("="), right + "=", right + "\n", " " + right, right.swapcase(), right[1:],
            right.replace("+", "-").replace("/", "_"), base64.b64decode(right).hex(), same_bytes,
            right[:at] + another + right[at + 1 :], right + "\0", self.word(ANY, 1, 50),
            password(method, secret, "authId=x×tamp=1"),
        )

    def line(self, members):
        """The members as JSON in one of its spellings, and now and then something that is no line."""
        if self.chance(0.01):
            whole = json.dumps(members)
            return self.one_of("[]", "null", "7", '"text"', whole[:-1], whole + "}", "[" + whole + "]", "{'a':1}")
        if self.chance(0.1):
            members["else"] = self.one_of(None, 1.5, {"clientId": 7}, [[]], "x")
        items = list(members.items())
        if self.chance(0.3):
            self.random.shuffle(items)
        members = dict(items)
        # Half of a surrogate pair can only be written as an escape.
        unescaped = json.dumps(members, ensure_ascii=False)
        escaped = self.chance(0.5) or any("\ud800" <= c <= "\udfff" for c in unescaped)
        return json.dumps(members, ensure_ascii=escaped, separators=self.one_of((",", ":"), (" , ", ": ")))


def main():
    command, count = sys.argv[1], int(sys.argv[2])
    inputs = Inputs(f"amqp {command}")
    make, judge = {
        "sign": (inputs.sign, sign),
        "parse": (inputs.parse, parse),
        "verify": (inputs.verify, verify),
    }[command]
    for _ in range(count):
        line = inputs.line(make())
        try:
            members = json.loads(line)
        except ValueError:
            members = None
        try:
            if not isinstance(members, dict):
                raise Refused("BadInput")
            expected = {"ok": judge(members)}
        except Refused as refused:
            expected = {"errors": refused.errors}
        print(json.dumps({"input": line, **expected}))


if __name__ == "__main__":
    main()
