// Subscribes with npm `graphql-ws` and npm `graphql-sse` to the endpoint given as the first argument, and prints what
// each of them was given.
import { createClient as createSseClient } from 'graphql-sse';
import { createClient as createWsClient } from 'graphql-ws';
import WebSocket from 'ws';

const url = process.argv[2];

async function collect(client, query) {
  const found = [];
  try {
    for await (const result of client.iterate({ query })) found.push(result.data ?? result.errors[0].extensions.code);
  } catch (thrown) {
    const errors = Array.isArray(thrown) ? thrown : [thrown];
    found.push(errors[0].extensions?.code ?? String(thrown.reason ?? thrown));
  }
  return found;
}

const clients = {
  ws: (token) =>
    createWsClient({
      url: url.replace('http', 'ws'),
      webSocketImpl: WebSocket,
      connectionParams: { authorization: `Bearer ${token}` },
      retryAttempts: 0,
      lazy: true,
      lazyCloseTimeout: 1000, // the next operation takes the same socket
    }),
  sse: (token) => createSseClient({ url, headers: { authorization: `Bearer ${token}` }, retryAttempts: 0 }),
};

const found = {};
for (const [name, create] of Object.entries(clients)) {
  const client = create('good');
  found[name] = [
    await collect(client, 'subscription { count(to: 3) }'),
    await collect(client, '{ whoami }'),
    await collect(client, 'subscription { stumbles }'),
    await collect(client, 'subscription { unknown }'),
  ];
  client.dispose();
  const stranger = create('bad');
  found[name].push(await collect(stranger, '{ whoami }'));
  stranger.dispose();
}
console.log(JSON.stringify(found));
