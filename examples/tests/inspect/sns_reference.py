"""What is told of what SNS delivers, a second time, from the specification alone.

    sns_reference.py smart-properties|sns-verify COUNT

prints COUNT random inputs of `inspect smart-properties` or `sns-verify`, one JSON object a line: the "input" line, and
what must come of it: the "ok", in which the payload of an event is a text, or the "error". The seed is fixed. Standard
library only.
"""

import json
import re
import sys

from json_lines import Number, Object, Refused, is_text, payload_of, read_json
from sns_inputs import Inputs
from sns_reading import NOTIFICATION, classify, read_event, verify

MAX_LINE = 2**20


def answer_smart_properties(line, text):
    via, headers = line.get("via"), line.get("headers")
    if not is_text(via) or via not in ("http", "sqs", "lambda", "raw"):
        raise Refused("BadInput", field="via")
    headers = Object() if headers is None else headers
    is_good = isinstance(headers, Object)
    # Of members with the same name the last one counts.
    headers = list(dict(headers).items()) if is_good else []
    if not is_good or not all(is_text(name) and is_text(value) for name, value in headers):
        raise Refused("BadInput", field="headers")
    body = payload_of(line, text)
    if via == "raw":
        event, warnings = read_event(body)
        return told("Raw", event, warnings)
    answer = classify(body, via, headers, tell)
    return {"envelope": "Records", "records": answer} if isinstance(answer, list) else answer


def tell(envelope, body):
    if envelope is not None and envelope["Type"] != NOTIFICATION:
        return told(envelope["Type"], None, [])
    name = "Raw" if envelope is None else NOTIFICATION
    try:
        return told(name, *read_event(body if envelope is None else envelope["Message"].encode()))
    except Refused as refused:
        return {**told(name, None, []), "eventError": refused.error}


def told(envelope, event, warnings):
    answer = {"envelope": envelope, "event": event}
    return {**answer, "warnings": warnings} if warnings else answer


def answer_sns_verify(line, text):
    body = payload_of(line, text)
    rules = {"certificatePem": line.get("certificatePem"), "topicArn": line.get("topicArn")}
    if not is_text(rules["certificatePem"]):
        raise Refused("BadInput", field="certificatePem")
    rules["now"] = integer(line, "now", -(2**63), 2**63 - 1)
    if rules["now"] is None:
        raise Refused("BadInput", field="now")
    if rules["topicArn"] is not None and not is_text(rules["topicArn"]):
        raise Refused("BadInput", field="topicArn")
    rules["maxAgeMs"] = integer(line, "maxAgeMs", 0, 2**64 - 1)
    answer = classify(body, "http", (), lambda envelope, _: verify(envelope, rules))
    if not isinstance(answer, list):
        return answer
    answer = [without_identifier(record) for record in answer]
    for only in answer if len(answer) == 1 else []:
        if "error" in only:
            raise Refused(**only["error"])
        return only["ok"]
    return {"records": answer}


def without_identifier(record):
    for told in record.values():
        told.pop("itemIdentifier", None)
    return record


def integer(line, name, least, most):
    value = line.get(name)
    if value is None:
        return None
    if not isinstance(value, Number) or not re.fullmatch("-?[0-9]+", value) or not least <= int(value) <= most:
        raise Refused("BadInput", field=name)
    return int(value)


def main():
    command, count = sys.argv[1], int(sys.argv[2])
    inputs = Inputs(command)
    if command == "sns-verify":
        inputs.prepare()
    make, judge = {
        "smart-properties": (inputs.smart_properties, answer_smart_properties),
        "sns-verify": (inputs.sns_verify, answer_sns_verify),
    }[command]
    for _ in range(count):
        line = make()
        try:
            members = read_json(line)
        except ValueError:
            members = None
        try:
            if not isinstance(members, Object) or len(line.encode()) > MAX_LINE:
                raise Refused("BadInput")
            case = {"input": line, "ok": judge(members, line.strip(" \t\r\n"))}
        except Refused as refused:
            case = {"input": line, "error": refused.error}
        print(json.dumps(case))


if __name__ == "__main__":
    main()
