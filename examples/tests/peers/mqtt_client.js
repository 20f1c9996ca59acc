// The MQTT client of a machine that runs in another process, on MQTT.js. It knows nothing of what the machine is for.
//
// Reads JSON Lines: first the certificate to trust, then what the machine wants done. Writes JSON Lines: what the
// machine is told. Bytes are base64. `own` are filters that the machine does not know of: they are subscribed to before
// it hears that a connection is open.
'use strict';

const readline = require('node:readline');
const mqtt = require('mqtt');

const PROTOCOLS = { tcp: 'mqtt', tls: 'mqtts', ws: 'ws', wss: 'wss' };
const FAILURE = 0x80;

const tell = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);
const links = new Map();
let ca;

function open({ link, own, transport, password, version, ...options }) {
  const client = mqtt.connect({
    ...options,
    protocol: PROTOCOLS[transport],
    protocolId: version === 3 ? 'MQIsdp' : 'MQTT',
    protocolVersion: version,
    password: password === undefined ? undefined : Buffer.from(password, 'base64'),
    ca,
    reconnectPeriod: 0,
    resubscribe: false,
    queueQoSZero: false,
  });
  links.set(link, client);
  let why = 'lost';
  let told;
  client.once('connect', ({ sessionPresent }) => {
    const filters = Object.fromEntries(own.map((filter) => [filter, { qos: 0 }]));
    const opened = () => tell({ opened: link, sessionPresent });
    told = own.length === 0 ? Promise.resolve(opened()) : client.subscribeAsync(filters).then(opened);
  });
  client.on('message', (topic, payload, { retain }) => {
    told.then(() => tell({ message: link, topic, payload: payload.toString('base64'), retain }));
  });
  client.on('error', ({ code }) => {
    if (Number.isInteger(code) && !client.connected) why = { refused: code };
  });
  client.once('close', () => {
    if (!links.delete(link)) return;
    tell({ closed: link, why: client.disconnecting ? 'requested' : why });
  });
}

// The end of a connection says itself what became of all that was under way.
function answer({ link, token }, failed) {
  if (links.get(link)?.connected) tell(failed ? { failed: link, token } : { done: link, token });
}

const actions = {
  open,
  close: ({ link }) => {
    const client = links.get(link);
    client?.end(!client.connected);
  },
  subscribe: (action) => links.get(action.link)?.subscribe(
    action.filter,
    { qos: action.qos },
    (error, granted) => answer(action, error || granted.some(({ qos }) => qos >= FAILURE)),
  ),
  unsubscribe: (action) => links.get(action.link)?.unsubscribe(
    action.filter,
    (error) => answer(action, error),
  ),
  publish: (action) => links.get(action.link)?.publish(
    action.topic,
    Buffer.from(action.payload, 'base64'),
    { qos: action.qos, retain: action.retain },
    (error) => answer(action, error),
  ),
};

readline.createInterface({ input: process.stdin })
  .on('line', (line) => {
    const { action, ...rest } = JSON.parse(line);
    if (action === 'trust') ca = rest.ca;
    else actions[action](rest);
  })
  .on('close', () => process.exit());
