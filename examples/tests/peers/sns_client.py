"""Amazon's own client, boto3, of the SNS and SQS at one port of 127.0.0.1. It shares nothing with the crates.

Reads JSON Lines, first {"port"}, and answers each of the others with one line:
  {"call":[service, operation, {parameter: value}]}   what it returned, as boto3 gives it
  {"get": url}                                        the text that is there
"""

import json
import sys
import urllib.request

import boto3
from botocore.config import Config

# Nothing of this machine's settings is used. The server takes an access key of twelve digits as the account.
SESSION = boto3.Session("123456789012", "secret", region_name="us-east-1")
CONFIG = Config(retries={"total_max_attempts": 1})
# A proxy is for what is not on this machine.
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def answer(question, clients):
    if "get" in question:
        with OPENER.open(question["get"], timeout=20) as response:
            return response.read().decode()
    service, operation, parameters = question["call"]
    return getattr(clients[service], operation)(**parameters)


def main():
    endpoint = f"http://127.0.0.1:{json.loads(sys.stdin.readline())['port']}"
    clients = {
        service: SESSION.client(service, endpoint_url=endpoint, config=CONFIG)
        for service in ("sns", "sqs")
    }
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line), clients), default=str), flush=True)


main()
