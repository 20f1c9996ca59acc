// Protected messages and key agreements of AIA with Node's own crypto, written from the description of the protocol. It
// shares nothing with the crates.
//
// Reads JSON Lines, binary in hex, and answers each with one line:
//   {"seal":{"key","iv","sequence","inner"?,"body"}}  the message; inner is the number inside, if it is another
//   {"open":{"key","messages":[…]}}                   [{"sequence","body"} or why it is refused]
//   {"agree":{"private","peer","algorithm"}}          {"public","secret"} or why it is refused
'use strict';

const crypto = require('node:crypto');
const readline = require('node:readline');

const NUMBER = 4;
const IV = 12;
const TAG = 16;
const HEADER = NUMBER + IV + TAG;
// What stands before 32 bytes in PKCS #8 and in SubjectPublicKeyInfo (RFC 8410).
const PRIVATE = Buffer.from('302e020100300506032b656e04220420', 'hex');
const PUBLIC = Buffer.from('302a300506032b656e032100', 'hex');

const bytes = (digits) => Buffer.from(digits, 'hex');
const cipher = (key) => `aes-${8 * key.length}-gcm`;

function littleEndian(number) {
  const buffer = Buffer.alloc(NUMBER);
  buffer.writeUInt32LE(number);
  return buffer;
}

function seal({ key, iv, sequence, inner = sequence, body }) {
  const gcm = crypto.createCipheriv(cipher(bytes(key)), bytes(key), bytes(iv), { authTagLength: TAG });
  const text = Buffer.concat([gcm.update(littleEndian(inner)), gcm.update(bytes(body)), gcm.final()]);
  return Buffer.concat([littleEndian(sequence), bytes(iv), gcm.getAuthTag(), text]).toString('hex');
}

function open(key, message) {
  if (message.length < HEADER + NUMBER) return 'TooShort';
  const iv = message.subarray(NUMBER, NUMBER + IV);
  const tag = message.subarray(NUMBER + IV, HEADER);
  const text = message.subarray(HEADER);
  const gcm = crypto.createDecipheriv(cipher(key), key, iv, { authTagLength: TAG });
  gcm.setAuthTag(tag);
  let plain;
  try {
    plain = Buffer.concat([gcm.update(text), gcm.final()]);
  } catch {
    return 'BadTag';
  }
  const [outer, inner] = [message.readUInt32LE(0), plain.readUInt32LE(0)];
  if (outer !== inner) return `Tampered ${outer} ${inner}`;
  return { sequence: outer, body: plain.subarray(NUMBER).toString('hex') };
}

function agree({ private: own, peer, algorithm }) {
  const pkcs8 = Buffer.concat([PRIVATE, bytes(own)]);
  const spki = Buffer.concat([PUBLIC, bytes(peer)]);
  const privateKey = crypto.createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' });
  const publicKey = crypto.createPublicKey({ key: spki, format: 'der', type: 'spki' });
  let secret;
  try {
    secret = crypto.diffieHellman({ privateKey, publicKey });
  } catch {
    return 'ZeroSecret';
  }
  if (algorithm === 'ECDH_CURVE_25519_16_BYTE_SHA256') {
    secret = Buffer.from(crypto.hkdfSync('sha256', secret, '', '', 16));
  }
  const ownPublic = crypto.createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
  return { public: ownPublic.subarray(PUBLIC.length).toString('hex'), secret: secret.toString('hex') };
}

function answer(line) {
  if (line.seal) return seal(line.seal);
  if (line.open) return line.open.messages.map((message) => open(bytes(line.open.key), bytes(message)));
  return agree(line.agree);
}

readline.createInterface({ input: process.stdin }).on('line', (line) => {
  process.stdout.write(`${JSON.stringify(answer(JSON.parse(line)))}\n`);
});
