// The first tabs. The documents are files of their own, so that the server's tests can hold them against the schema.
const files = import.meta.glob('./examples/*.graphql', { query: '?raw', import: 'default', eager: true });

const variables = JSON.stringify({ id: 'one of the ids of the tab Tasks' }, null, 2);

export const examples = Object.keys(files)
  .sort()
  .map((path) => (files[path].includes('$id') ? { query: files[path], variables } : { query: files[path] }));
