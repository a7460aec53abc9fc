// How GraphiQL reaches the server: queries and mutations by POST, subscriptions over one WebSocket. Headers of the
// page's own editor go with both, after the sign-in's.
import { getOperationAST, parse } from 'graphql';
import { createClient } from 'graphql-ws';

const endpoint = new URL('/graphql', location.href);
const socket = new URL(endpoint);
socket.protocol = endpoint.protocol.replace('http', 'ws');

function isSubscription({ query, operationName }) {
  try {
    return getOperationAST(parse(query), operationName)?.operation === 'subscription';
  } catch {
    return false; // the server says what is wrong with it
  }
}

export function connect(authorization) {
  const signedIn = authorization ? { Authorization: authorization } : {};
  const sockets = new Map();

  // One client for each set of headers: they are sent once, when its socket opens.
  function subscribe(headers, operation) {
    const key = JSON.stringify(headers);
    if (!sockets.has(key)) {
      sockets.set(key, createClient({ url: socket.href, connectionParams: headers, lazyCloseTimeout: 2000 }));
    }
    return sockets.get(key).iterate(operation);
  }

  async function post(headers, operation) {
    const response = await fetch(endpoint, {
      method: 'POST',
      headers: { Accept: 'application/graphql-response+json', 'Content-Type': 'application/json', ...headers },
      body: JSON.stringify(operation),
    });
    return response.json();
  }

  return {
    fetcher(operation, { headers: own } = {}) {
      const headers = { ...signedIn, ...own };
      return isSubscription(operation) ? subscribe(headers, operation) : post(headers, operation);
    },
    dispose() {
      for (const client of sockets.values()) client.dispose();
    },
  };
}
