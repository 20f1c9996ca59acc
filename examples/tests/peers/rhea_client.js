// A consumer on rhea, the library of the vendor's sample. It signs with Node's own crypto and shares nothing with the
// crates.
//
// Reads one JSON object: where to connect, what to sign, how many messages to accept. Writes JSON Lines: the messages,
// and then that the connection was closed, or why it was not to be had.
'use strict';

const crypto = require('node:crypto');
const fs = require('node:fs');
const rhea = require('rhea');

const settings = JSON.parse(fs.readFileSync(0, 'utf8'));
const tell = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);

function login() {
  const { clientId, instanceId, groupId, authMode, signMethod, authId, secret, token } = settings;
  const signed = Date.now() - settings.ageMs;
  const fields = { authId, timestamp: signed };
  if (authMode === 'ststoken') fields.securityToken = token;
  const text = Object.keys(fields).sort().map((key) => `${key}=${fields[key]}`).join('&');
  const hash = signMethod.replace('hmac', '');
  let password = crypto.createHmac(hash, secret).update(text).digest('base64');
  if (settings.fault === 'password') {
    password = (password[0] === 'A' ? 'B' : 'A') + password.slice(1);
  }
  const timestamp = settings.fault === 'timestamp' ? signed + 1 : signed;
  const named = [
    `iotInstanceId=${instanceId}`, `authMode=${authMode}`, `signMethod=${signMethod}`,
    `consumerGroupId=${groupId}`, `authId=${authId}`, `timestamp=${timestamp}`,
  ];
  if (authMode === 'ststoken') named.push(`securityToken=${token}`);
  return { username: `${clientId}|${named.join(',')}|`, password };
}

let accepted = 0;
let refused = false;
const container = rhea.create_container();
container.on('message', ({ message, delivery, receiver, connection }) => {
  const body = message.body;
  tell({ message: message.application_properties, body: (body.content ?? body).toString('utf8') });
  delivery.accept();
  accepted += 1;
  if (accepted === settings.messages) connection.close();
  else receiver.add_credit(1);
});
container.on('connection_error', ({ error }) => {
  refused = true;
  tell({ refused: error.condition });
});
container.on('connection_close', () => {
  if (!refused) tell({ closed: accepted });
});
container.on('disconnected', ({ error }) => {
  if (!refused && accepted < settings.messages) tell({ lost: String(error) });
});

const connection = container.connect({
  transport: 'tls',
  // By number: the name may be ::1 first, where nobody listens.
  host: '127.0.0.1',
  port: settings.port,
  servername: 'localhost',
  ca: settings.ca,
  ...login(),
  idle_time_out: 60_000,
  reconnect: false,
});
connection.open_receiver({ source: 'default', autoaccept: false, credit_window: 0 })
  .add_credit(settings.credit);
