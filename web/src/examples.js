// The first tabs. The documents are files of their own, so that the server's tests can hold them against the schema.
const files = import.meta.glob('./examples/*.graphql', { query: '?raw', import: 'default', eager: true });

export const examples = Object.keys(files)
  .sort()
  .map((path) => ({ query: files[path] }));
