"""A consumer on Qpid Proton. It signs with Python's own hmac and shares nothing with the crates.

Reads one JSON object: where to connect, what to sign, how many messages to accept. Writes JSON Lines: the messages, and
then that the connection was closed, or why it was not to be had.
"""

import base64
import hmac
import json
import sys
import tempfile
import time

from proton import SSLDomain
from proton.handlers import MessagingHandler
from proton.reactor import Container


def tell(what):
    print(json.dumps(what), flush=True)


def login(settings):
    signed = int(time.time() * 1000) - settings["ageMs"]
    fields = {"authId": settings["authId"], "timestamp": signed}
    if settings["authMode"] == "ststoken":
        fields["securityToken"] = settings["token"]
    text = "&".join(f"{key}={fields[key]}" for key in sorted(fields))
    hash_name = settings["signMethod"].removeprefix("hmac")
    mac = hmac.new(settings["secret"].encode(), text.encode(), hash_name).digest()
    password = base64.b64encode(mac).decode()
    if settings["fault"] == "password":
        password = ("B" if password[0] == "A" else "A") + password[1:]
    timestamp = signed + 1 if settings["fault"] == "timestamp" else signed
    named = [
        f"authMode={settings['authMode']}",
        f"signMethod={settings['signMethod']}",
        f"timestamp={timestamp}",
        f"authId={settings['authId']}",
        f"iotInstanceId={settings['instanceId']}",
        f"consumerGroupId={settings['groupId']}",
    ]
    if settings["authMode"] == "ststoken":
        named.append(f"securityToken={settings['token']}")
    return f"{settings['clientId']}|{','.join(named)}|", password


class Consumer(MessagingHandler):
    def __init__(self, settings, ca_file):
        super().__init__(prefetch=0, auto_accept=False)
        self.settings = settings
        self.ca_file = ca_file
        self.accepted = 0

    def on_start(self, event):
        tls = SSLDomain(SSLDomain.MODE_CLIENT)
        tls.set_trusted_ca_db(self.ca_file)
        tls.set_peer_authentication(SSLDomain.VERIFY_PEER_NAME)
        user, password = login(self.settings)
        connection = event.container.connect(
            # By number: the name may be ::1 first, where nobody listens.
            f"amqps://127.0.0.1:{self.settings['port']}",
            # The name in the certificate.
            virtual_host="localhost",
            ssl_domain=tls,
            allowed_mechs="PLAIN",
            user=user,
            password=password,
            # Half of it is what the peer reads.
            heartbeat=120,
            reconnect=False,
        )
        event.container.create_receiver(connection, "default").flow(self.settings["credit"])

    def on_message(self, event):
        body = bytes(event.message.body).decode()
        tell({"message": event.message.properties, "body": body})
        self.accept(event.delivery)
        self.accepted += 1
        if self.accepted == self.settings["messages"]:
            event.connection.close()
        else:
            event.receiver.flow(1)

    def on_connection_closed(self, _event):
        tell({"closed": self.accepted})

    def on_transport_error(self, event):
        tell({"refused": event.transport.condition.name})


with tempfile.NamedTemporaryFile("w", suffix=".pem") as ca:
    given = json.load(sys.stdin)
    ca.write(given["ca"])
    ca.flush()
    Container(Consumer(given, ca.name)).run()
