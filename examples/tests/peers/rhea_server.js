// A service on rhea that checks logins with Node's own crypto and shares nothing with the crates. To each receiver it
// sends five messages.
//
// Reads one JSON object: certificate, keys, how old a login may be. Writes JSON Lines: its port, what it thinks of each
// login, what became of each message.
'use strict';

const crypto = require('node:crypto');
const fs = require('node:fs');
const rhea = require('rhea');

const settings = JSON.parse(fs.readFileSync(0, 'utf8'));
const tell = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);

function judge(userName, password) {
  const shape = /^([^|]{1,64})\|([^|]*)\|$/.exec(userName);
  if (!shape) return 'malformed';
  const fields = Object.fromEntries(shape[2].split(',').map((pair) => {
    const at = pair.indexOf('=');
    return [pair.slice(0, at), pair.slice(at + 1)];
  }));
  const key = settings.keys[fields.authId];
  if (!key) return 'unknown key';
  const names = ['authId', 'timestamp'];
  if (fields.authMode === 'ststoken') names.push('securityToken');
  const text = names.sort().map((name) => `${name}=${fields[name]}`).join('&');
  const hash = fields.signMethod.replace('hmac', '');
  const expected = Buffer.from(crypto.createHmac(hash, key.secret).update(text).digest('base64'));
  const given = Buffer.from(password);
  if (given.length !== expected.length || !crypto.timingSafeEqual(given, expected)) {
    return 'wrong signature';
  }
  if (fields.securityToken !== key.token) return 'wrong token';
  if (Math.abs(Date.now() - Number(fields.timestamp)) > settings.windowMs) return 'stale';
  return 'good';
}

const container = rhea.create_container();
container.sasl_server_mechanisms.enable_plain((userName, password) => {
  const verdict = judge(userName, password);
  tell({ login: verdict });
  return verdict === 'good';
});
// By itself it confirms a link without saying what that is about, which means that it is refused.
container.on('sender_open', ({ sender }) => {
  sender.set_source(sender.source);
  sender.set_target(sender.target);
});
const sent = new WeakMap();
container.on('sendable', ({ sender }) => {
  // The first time the answer to the attach is not written yet.
  setImmediate(() => {
    let number = sent.get(sender) ?? 0;
    while (number < 5 && sender.sendable()) {
      sender.send({
        application_properties: {
          topic: '/pk1/dn1/user/update',
          messageId: `135112345678901234${number}`,
          generateTime: rhea.types.wrap_long(1_700_000_000_000),
        },
        body: rhea.message.data_section(Buffer.from(String(number))),
      });
      number += 1;
    }
    sent.set(sender, number);
  });
});
for (const outcome of ['accepted', 'rejected', 'released', 'modified']) {
  container.on(outcome, () => tell({ settled: outcome }));
}
container.on('connection_close', () => tell({ closed: true }));
// A client that goes without a word.
container.on('disconnected', () => {});
container.on('protocol_error', () => {});
container.on('error', () => {});

const { cert, key } = settings;
const server = container.listen({ transport: 'tls', host: '127.0.0.1', port: 0, cert, key });
server.on('listening', () => tell({ port: server.address().port }));
