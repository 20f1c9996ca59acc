// Judges messages of SNS with two validators: Amazon's own, sns-validator, and sns-payload-validator.
//
// Reads JSON Lines and answers each with one line:
//   {"certificates":{url: PEM}}  true; a GET on one of these URLs gives this, on any other a 404
//   {"judge":[message]}          for each what the two say, in the order above: null when they take it, else why not
'use strict';

const { EventEmitter } = require('node:events');
const https = require('node:https');
const readline = require('node:readline');
const SnsValidator = require('sns-validator');
const SnsPayloadValidator = require('sns-payload-validator');

let certificates = {};

// Both fetch with this, and would ask the SNS in the URL.
https.get = (url, ...rest) => {
  const answer = new EventEmitter();
  const pem = certificates[url];
  answer.statusCode = pem === undefined ? 404 : 200;
  setImmediate(() => {
    rest.at(-1)(answer);
    answer.emit('data', Buffer.from(pem ?? 'Not Found'));
    answer.emit('end');
  });
  return new EventEmitter();
};

const sns = new SnsValidator();
const payload = new SnsPayloadValidator();

const judges = [
  (text) => new Promise((resolve) => { sns.validate(text, (error) => resolve(error)); }),
  (text) => payload.validate(text).then(() => null, (error) => error),
];

// One after the other: the second keeps what it works on in one place.
async function judge(message) {
  const verdicts = [];
  for (const says of judges) {
    const error = await says(JSON.stringify(message));
    verdicts.push(error ? error.message : null);
  }
  return verdicts;
}

async function answer(line) {
  if (line.certificates) {
    certificates = line.certificates;
    return true;
  }
  const answers = [];
  for (const message of line.judge) answers.push(await judge(message));
  return answers;
}

(async () => {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    process.stdout.write(`${JSON.stringify(await answer(JSON.parse(line)))}\n`);
  }
})();
