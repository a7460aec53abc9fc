// Follows a subscription over any cut. `client` is npm `graphql-ws` or npm `graphql-sse`, made with `retryAttempts: 0`:
// their own retries would send the variables of the first time, and so the same items again. `next` takes an item and
// gives the variables that go on behind it.
export async function* follow(client, query, variables, next) {
  for (let pause = 50; ; pause = Math.min(2 * pause, 10_000)) {
    try {
      for await (const { data, errors } of client.iterate({ query, variables })) {
        if (errors) throw errors;
        variables = next(data, variables);
        pause = 50;
        yield data;
      }
      return; // completed by the server: nothing follows
    } catch (cut) {
      if (!mayPass(cut)) throw cut;
      await new Promise((resolve) => setTimeout(resolve, pause * (1 + Math.random())));
    }
  }
}

// A refusal stays one. What the network or a restart did, passes.
function mayPass(cut) {
  if (Array.isArray(cut)) return cut.every(({ extensions }) => PASSING.has(extensions?.code)); // errors of the graph
  if (cut.response) return cut.response.status >= 500; // graphql-sse: an HTTP answer
  return !(cut.code >= 4400 && cut.code < 4500); // graphql-ws: the code of a closed socket; else the network
}

const PASSING = new Set(['DATABASE_UNAVAILABLE', 'SHUTTING_DOWN', 'TOO_MANY_SUBSCRIPTIONS']);
