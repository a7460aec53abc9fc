// Follows a log and all changes of tasks with npm `graphql-ws` and npm `graphql-sse`, each through a proxy of its own
// that cuts it over and over, until the log has ended and the task named `last` has. Arguments: the address of the
// server, a token, the subtask, the cursor to begin behind, how many cuts. Prints a line of JSON after each cut, and
// at the end what was seen.
import net from 'node:net';
import { createClient as createSseClient } from 'graphql-sse';
import { createClient as createWsClient } from 'graphql-ws';
import WebSocket from 'ws';
import { follow } from './follow.mjs';

const [host, port] = process.argv[2].split(':');
const [token, subtaskId, after, cuts] = process.argv.slice(3);

const LOG = `subscription($subtaskId: ID!, $fromLine: Int!) {
  subtaskLog(subtaskId: $subtaskId, fromLine: $fromLine) { lines { number time level source text } nextLine } }`;
const CHANGES = `subscription($after: String) { taskChanged(after: $after) { cursor task { name }
  event { cursor at kind taskId subtaskId attemptId taskState subtaskState operation message actor } } }`;

/** Passes bytes on between a client and the server, until it is told to cut every connection. */
async function proxy() {
  const pairs = new Set();
  const server = net.createServer((client) => {
    const upstream = net.connect(Number(port), host);
    const pair = { client, upstream, half: false };
    pairs.add(pair);
    const end = () => {
      pairs.delete(pair);
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) socket.on('error', end).on('close', end);
    client.on('data', (bytes) => upstream.write(bytes));
    upstream.on('data', (bytes) => {
      if (!pair.half) return client.write(bytes);
      client.write(bytes.subarray(0, Math.ceil(bytes.length / 2)), () => client.resetAndDestroy());
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${server.address().port}`,
    close: () => server.close(),
    reset: () => pairs.forEach(({ client }) => client.resetAndDestroy()),
    // The next bytes of each are given half: a frame or an event is torn.
    tear: () => pairs.forEach((pair) => (pair.half = true)),
    // The server finds nobody who reads for a while, and then nobody at all.
    stall: async () => {
      const stalled = [...pairs];
      for (const { upstream } of stalled) upstream.pause();
      await pause(100);
      for (const { client } of stalled) client.destroy();
    },
  };
}

const pause = (time) => new Promise((resolve) => setTimeout(resolve, time));
const headers = { authorization: `Bearer ${token}` };

const transports = {
  ws: (address) => {
    let socket;
    class Held extends WebSocket {
      constructor(...how) {
        super(...how);
        socket = this;
      }
    }
    const url = `ws://${address}/graphql`;
    const client = createWsClient({ url, webSocketImpl: Held, connectionParams: headers, retryAttempts: 0 });
    return { client, leave: () => socket.terminate() };
  },
  sse: (address) => {
    const open = new Set();
    // The stream's own end on the client's side is destroyed under the client.
    const fetchFn = async (url, how) => {
      const control = new AbortController();
      how.signal.addEventListener('abort', () => control.abort());
      open.add(control);
      return fetch(url, { ...how, signal: control.signal });
    };
    const client = createSseClient({ url: `http://${address}/graphql`, headers, fetchFn, retryAttempts: 0 });
    const leave = () => {
      open.forEach((control) => control.abort());
      open.clear();
    };
    return { client, leave };
  },
};

/** Everything that one transport was given while it was cut. */
async function see(name) {
  const way = await proxy();
  const { client, leave } = transports[name](way.address);
  const seen = { lines: [], events: [] };
  const open = { lines: true, events: true };
  const heard = { lines: false, events: false };

  const lines = (async () => {
    const next = ({ subtaskLog }, variables) => ({ ...variables, fromLine: subtaskLog.nextLine });
    for await (const { subtaskLog } of follow(client, LOG, { subtaskId, fromLine: 1 }, next)) {
      seen.lines.push(...subtaskLog.lines);
      heard.lines = true;
    }
    open.lines = false;
  })();
  const events = (async () => {
    const next = ({ taskChanged }) => ({ after: taskChanged.cursor });
    for await (const { taskChanged } of follow(client, CHANGES, { after }, next)) {
      seen.events.push(taskChanged.event);
      heard.events = true;
      if (taskChanged.task?.name === 'last' && taskChanged.event.taskState === 'SUCCESSFUL') break;
    }
    open.events = false;
  })();

  const ways = [way.reset, way.tear, leave, way.stall];
  const cutting = (async () => {
    for (let count = 1; count <= Number(cuts); count++) {
      // A cut counts when both have come back from the one before.
      while ((open.lines && !heard.lines) || (open.events && !heard.events)) await pause(5);
      if (!open.lines || !open.events) throw new Error(`${name} ended after ${count - 1} cuts`);
      await pause(Math.random() * 50);
      heard.lines = heard.events = false;
      await ways[count % ways.length]();
      console.log(JSON.stringify({ cut: name, count }));
    }
  })();
  await Promise.all([lines, events, cutting]);
  client.dispose();
  way.close();
  return seen;
}

const [ws, sse] = await Promise.all([see('ws'), see('sse')]);
process.stdout.write(`${JSON.stringify({ ws, sse })}\n`, () => process.exit(0));
