// A thing on MQTT.js: onboards, tells its state, obeys one command. It is written from the description of the protocol
// and shares nothing with the crates. As an ordinary broker delivers nothing without SUBSCRIBE, it subscribes to the
// answers as well, and gets its own requests back.
//
// Reads one JSON object: where to connect, who it is, its state. Writes JSON Lines: what it came to, step by step.
'use strict';

const readline = require('node:readline');
const mqtt = require('mqtt');

const PROTOCOLS = { tcp: 'mqtt', tls: 'mqtts', ws: 'ws', wss: 'wss' };
const ENDPOINT_PORTS = { tcp: 'portTCP', tls: 'portSSL', ws: 'portWS', wss: 'portWSS' };
const ONBOARDING = 'application/vnd.kii.OnboardingWithVendorThingIDByThing+json';

const tell = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);

function connect(settings, { host, port, clientId, username, password }) {
  return mqtt.connectAsync({
    protocol: PROTOCOLS[settings.transport],
    host,
    port,
    path: '/mqtt',
    ca: settings.ca,
    clientId,
    username,
    password,
    reconnectPeriod: 0,
  }, false);
}

function request({ eol }, method, headers, body) {
  const lines = [method, ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`)];
  return `${lines.join(eol)}${eol}${eol}${body}`;
}

function response(payload) {
  const text = payload.toString('utf8');
  const end = text.indexOf('\r\n\r\n');
  const [status, ...lines] = text.slice(0, end).split('\r\n');
  const headers = Object.fromEntries(lines.map((line) => {
    const at = line.indexOf(':');
    return [line.slice(0, at).toLowerCase(), line.slice(at + 1).trim()];
  }));
  return { status: Number(status), headers, body: text.slice(end + 4) };
}

const isResponse = (payload) => payload[0] >= 0x30 && payload[0] <= 0x39;

// The first message on this topic of which `pick` makes something. Listens at once, before it is waited for.
function message(client, topic, pick) {
  return new Promise((resolve) => {
    client.on('message', function listen(at, payload) {
      const picked = at === topic ? pick(payload) : undefined;
      if (picked === undefined) return;
      client.off('message', listen);
      resolve(picked);
    });
  });
}

async function onboard(settings) {
  const { host, port, appId, appKey, vendorThingId, thingPassword } = settings;
  const client = await connect(settings, {
    host,
    port,
    clientId: 'anonymous',
    username: `type=oauth2&client_id=${appId}`,
    password: `client_secret=${appKey}`,
  });
  const topic = `p/anonymous/thing-if/apps/${appId}/onboardings`;
  await client.subscribeAsync(topic);
  const answer = message(client, topic, (payload) => (isResponse(payload) ? response(payload) : undefined));
  const body = JSON.stringify({ vendorThingID: vendorThingId, thingPassword }, null, 2);
  await client.publishAsync(topic, request(settings, 'POST', { 'Content-type': ONBOARDING }, body));
  const { status, body: text } = await answer;
  await client.endAsync();
  const fields = JSON.parse(text);
  if (status !== 200) tell({ rejected: status, errorCode: fields.errorCode });
  else tell({ onboarded: fields.thingID });
  return status === 200 ? fields : undefined;
}

async function work(settings, { thingID, accessToken, mqttEndpoint }) {
  const { mqttTopic, host, username, password } = mqttEndpoint;
  const port = mqttEndpoint[ENDPOINT_PORTS[settings.transport]];
  const client = await connect(settings, { host, port, clientId: mqttTopic, username, password });
  await client.subscribeAsync([mqttTopic, `p/${mqttTopic}/#`]);

  let last = 0;
  const call = async (method, resource, value) => {
    const id = `call ${last += 1}`;
    const topic = `p/${mqttTopic}/thing-if/apps/${settings.appId}/${resource}`;
    const answer = message(client, topic, (payload) => {
      const answered = isResponse(payload) ? response(payload) : { headers: {} };
      return answered.headers['x-kii-requestid'] === id ? answered : undefined;
    });
    const headers = { Authorization: `Bearer ${accessToken}`, 'X-Kii-RequestID': id };
    if (value !== undefined) headers['Content-Type'] = 'application/json';
    const body = value === undefined ? '' : JSON.stringify(value);
    await client.publishAsync(topic, request(settings, method, headers, body));
    const { status, body: text } = await answer;
    tell({ answered: `${method} ${resource}`, status, body: text === '' ? null : JSON.parse(text) });
  };

  const pushed = message(client, mqttTopic, (payload) => JSON.parse(payload));
  const states = `targets/thing:${thingID}/states`;
  await call('PUT', states, settings.state);
  await call('GET', states);
  const { commandID, actions } = await pushed;
  tell({ command: commandID, actions });
  const actionResults = actions.map((action) => {
    const [name] = Object.keys(action);
    return { [name]: { succeeded: true } };
  });
  await call('PUT', `targets/thing:${thingID}/commands/${commandID}/action-results`, { actionResults });
  await client.endAsync();
}

async function run(settings) {
  const onboarded = await onboard(settings);
  if (onboarded !== undefined) await work(settings, onboarded);
}

readline.createInterface({ input: process.stdin }).once('line', (line) => {
  run(JSON.parse(line))
    .catch(({ code, message: why }) => tell(Number.isInteger(code) ? { refused: code } : { failed: why }))
    .finally(() => process.exit());
});
