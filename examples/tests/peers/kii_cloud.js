// A cloud on MQTT.js, for things of one application: onboards them, stores what they tell, pushes what it is told to.
// It is written from the description of the protocol and shares nothing with the crates. To two ordinary brokers it is
// a client that subscribes to all requests and answers on their topics, so that its answers come back to it.
//
// Reads JSON Lines: first where to connect and what to send things to, then `admitted` (the second broker knows the
// endpoint now) and `push`. Writes JSON Lines: that it is ready, endpoints, and every request of the API.
'use strict';

const crypto = require('node:crypto');
const readline = require('node:readline');
const mqtt = require('mqtt');

const ONBOARDING = 'application/vnd.kii.onboardingwithvendorthingidbything+json';
const SEED_HEADERS = {
  'Accept-Ranges': 'bytes',
  Age: 0,
  'Cache-Control': 'max-age=0, no-cache, no-store',
  Date: 'Fri, 27 May 2016 05:44:17 GMT',
  Connection: 'keep-alive',
};

const tell = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);
const things = new Map();
let settings;
let api;
let admitted = () => {};

function request(payload) {
  const text = payload.toString('utf8');
  const end = text.indexOf('\r\n\r\n');
  const [method, ...lines] = text.slice(0, end).split('\r\n');
  const headers = Object.fromEntries(lines.map((line) => {
    const at = line.indexOf(':');
    return [line.slice(0, at).toLowerCase(), line.slice(at + 1).trim()];
  }));
  const body = text.slice(end + 4);
  return { method, headers, body: body === '' ? null : JSON.parse(body) };
}

function response(status, id, value) {
  const headers = { ...SEED_HEADERS };
  if (value !== undefined) headers['Content-Type'] = 'application/json;charset=UTF-8';
  if (id !== undefined) headers['X-Kii-RequestID'] = id;
  const lines = [status, ...Object.entries(headers).map(([name, text]) => `${name}:${text}`)];
  const body = value === undefined ? '' : JSON.stringify(value, null, 2);
  return `${lines.join('\r\n')}\r\n\r\n${body}`;
}

// Status and body of an onboarding.
async function onboard({ method, headers, body }) {
  if (method !== 'POST' || headers['content-type'].toLowerCase() !== ONBOARDING) return [415];
  const { vendorThingID, thingPassword } = body;
  let thing = things.get(vendorThingID);
  if (thing === undefined) {
    thing = {
      thingID: `th.${crypto.randomUUID()}`,
      thingPassword,
      mqttEndpoint: {
        installationID: crypto.randomBytes(12).toString('hex'),
        username: `${settings.appId}-${crypto.randomBytes(11).toString('hex')}`,
        password: crypto.randomBytes(32).toString('hex'),
        mqttTopic: crypto.randomBytes(11).toString('hex'),
        ttl: 2147483647,
        ...settings.endpoint,
      },
    };
    things.set(vendorThingID, thing);
  }
  if (thing.thingPassword !== thingPassword) {
    return [401, { errorCode: 'WRONG_PASSWORD', message: 'The password is wrong' }];
  }
  thing.accessToken = crypto.randomBytes(32).toString('base64url');
  const { thingID, accessToken, mqttEndpoint } = thing;
  tell({ issued: mqttEndpoint.username, password: mqttEndpoint.password });
  await new Promise((resolve) => { admitted = resolve; });
  return [200, { accessToken, thingID, mqttEndpoint }];
}

// Status and body of a call.
function call(clientId, resource, { method, headers, body }) {
  const thing = [...things.values()].find(({ mqttEndpoint }) => mqttEndpoint.mqttTopic === clientId);
  if (headers.authorization !== `Bearer ${thing.accessToken}`) return [403, { errorCode: 'WRONG_TOKEN' }];
  tell({ called: `${method} ${resource}`, type: headers['content-type'] ?? null, body });
  const target = `targets/thing:${thing.thingID}`;
  if (resource === `${target}/states` && method === 'PUT') {
    const status = thing.state === undefined ? 201 : 204;
    thing.state = body;
    return [status];
  }
  if (resource === `${target}/states` && method === 'GET') return [200, thing.state];
  if (resource.startsWith(`${target}/commands/`) && method === 'PUT') return [204];
  return [404, { errorCode: 'TARGET_NOT_FOUND', message: 'There is no such target' }];
}

async function broker({ host, port }) {
  const { ca, userName, password } = settings;
  const client = await mqtt.connectAsync({
    protocol: 'mqtts', host, port, ca, clientId: 'cloud', username: userName, password, reconnectPeriod: 0,
  }, false);
  client.on('message', async (topic, payload) => {
    // A response: its own.
    if (payload[0] >= 0x30 && payload[0] <= 0x39) return;
    const [, clientId, , , , ...path] = topic.split('/');
    const resource = path.join('/');
    const asked = request(payload);
    const [status, value] = resource === 'onboardings' ? await onboard(asked) : call(clientId, resource, asked);
    client.publish(topic, response(status, asked.headers['x-kii-requestid'], value));
  });
  await client.subscribeAsync('p/#');
  return client;
}

async function start() {
  const [defaultBroker, secondBroker] = settings.brokers;
  await broker(defaultBroker);
  api = await broker(secondBroker);
  tell({ ready: true });
}

readline.createInterface({ input: process.stdin })
  .on('line', (line) => {
    const told = JSON.parse(line);
    if (told.admitted) admitted();
    else if (told.push) {
      const thing = [...things.values()].find(({ thingID }) => thingID === told.to);
      api.publish(thing.mqttEndpoint.mqttTopic, JSON.stringify(told.push));
    } else {
      settings = told;
      start();
    }
  })
  .on('close', () => process.exit());
