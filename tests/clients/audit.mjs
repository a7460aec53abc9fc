// Runs the audits of npm `graphql-http` against the endpoint given as the first argument; exits with 1 when one fails.
import { auditServer } from 'graphql-http';

const results = await auditServer({ url: process.argv[2] });
const failed = results.filter((result) => result.status !== 'ok');
for (const { id, name, reason } of failed) console.log(`${id} ${name}: ${reason}`);
console.log(`${results.length} audits, ${failed.length} failed`);
process.exit(failed.length === 0 && results.length > 0 ? 0 : 1);
