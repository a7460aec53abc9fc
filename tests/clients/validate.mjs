// Validates the documents given as further arguments against the schema of the file given as the first.
import { readFileSync } from 'node:fs';

import { buildSchema, parse, validate } from 'graphql';

const [schemaFile, ...documents] = process.argv.slice(2);
const schema = buildSchema(readFileSync(schemaFile, 'utf8'));
for (const file of documents) {
  const errors = validate(schema, parse(readFileSync(file, 'utf8')));
  for (const error of errors) console.log(`${file}: ${error.message}`);
}
