// subscribe.mjs: one process of subscribers. Reads {url, token, query, subscribers, server, events, pause, quiet, psql} from
// its argument; publishes numbered events by a statement in psql (or through the floor's own socket) and times each
// arrival from the acknowledged commit.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { createRequire } from 'node:module';
import { createServer } from 'node:http';

const require = createRequire(process.env.CLIENTS + '/');
const { WebSocket, WebSocketServer } = require('ws');
const o = JSON.parse(process.argv[2]);
const now = () => performance.timeOrigin + performance.now();
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
const quantile = (xs, q) => xs.sort((a, b) => a - b)[Math.min(xs.length - 1, Math.floor(q * xs.length))];

// The floor: a server that passes a line on to every socket, and does nothing else.
if (o.serve) {
  const server = createServer();
  const wall = new WebSocketServer({ server, perMessageDeflate: false });
  wall.on('connection', (socket) => socket.on('message', (data) => {
    const text = data.toString();
    if (!text.startsWith('publish ')) return socket.send('{"type":"connection_ack"}');
    for (const other of wall.clients) other.send(`{"type":"next","payload":{"data":{"seq":"${text.slice(8)}"}}}`);
  }));
  server.listen(o.serve, '127.0.0.1', () => console.log('ready'));
  await new Promise(() => {});
}

let current = { seq: -1 };
const ready = new Set();
let latest = 0;
function arrived(index, data) {
  const at = data.indexOf('"seq"');
  if (at < 0) return data.includes('"errors"') && console.error(data.toString().slice(0, 300));
  const seq = parseInt(/\d+/.exec(data.toString('latin1', at + 5, at + 40))[0], 10);
  ready.add(index);
  latest = now();
  if (seq === current.seq) {
    current.times.push(latest);
    if (current.times.length === o.subscribers) current.done();
  }
}
function open(index) {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(o.url, 'graphql-transport-ws', { perMessageDeflate: false });
    socket.on('error', reject);
    socket.on('open', () => socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization: `Bearer ${o.token}` } })));
    socket.once('message', (first) => {
      if (!first.includes('connection_ack')) return reject(new Error(first.toString()));
      socket.on('message', (data) => {
        if (data.includes('"type":"ping"')) socket.send('{"type":"pong"}');
        else arrived(index, data);
      });
      socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query: o.query } }));
      resolve(socket);
    });
  });
}

const direct = o.psql ? null : new WebSocket(o.url, { perMessageDeflate: false });
const base = o.psql && spawn(o.psql[0], o.psql.slice(1), { stdio: ['pipe', 'pipe', 'inherit'] });
const answers = base && createInterface({ input: base.stdout })[Symbol.asyncIterator]();
async function publish(seq) {
  if (direct) {
    if (direct.readyState !== 1) await new Promise((done) => direct.once('open', done));
    const sent = now();
    direct.send(`publish ${seq}`);
    return sent;
  }
  base.stdin.write(o.statement.replaceAll('$SEQ', seq) + `\n\\echo done ${seq}\n`);
  for (;;) if ((await answers.next()).value === `done ${seq}`) return now();
}

let seq = Math.floor(now() / 1000) % 1000000 * 1000;
const sockets = [];
for (let at = 0; at < o.subscribers; at += 50) {
  sockets.push(...await Promise.all(Array.from({ length: Math.min(50, o.subscribers - at) }, (_, more) => open(at + more))));
}
// The clock starts when every subscriber has seen an event, and all of the warm-up has been delivered.
for (const end = now() + 40000; ready.size < o.subscribers && now() < end;) {
  await publish(seq++);
  await sleep(500);
}
for (const end = now() + 20000; now() < end && now() - latest < 1000;) await sleep(50);

async function once() {
  const n = seq++;
  let timer;
  const all = new Promise((done) => {
    current = { seq: n, times: [], done };
    timer = setTimeout(done, 20000);
  });
  const committed = await publish(n);
  await all;
  clearTimeout(timer);
  return current.times.map((time) => time - committed);
}

const times = [];
let missing = 0;
for (let round = 0; round < o.events; round++) {
  const some = await once();
  times.push(...some);
  missing += o.subscribers - some.length;
  await sleep(o.pause * 2 * Math.random());
}
const found = { median: quantile(times, 0.5), p99: quantile(times, 0.99), missing };
if (o.quiet) {
  await sleep(o.quiet * 1000);
  found.quiet = Math.max(...await once());
}
console.log(JSON.stringify(found));
process.exit(0);
