// Bundles the pages into `dist`, which the binary embeds. Texts are stored gzipped, and only so: the server sends them
// as they are, and the binary stays small.
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

const gzip = {
  name: 'gzip',
  apply: 'build',
  closeBundle() {
    for (const name of readdirSync('dist', { recursive: true })) {
      const path = join('dist', name);
      if (!statSync(path).isFile() || !/\.(js|css|html|svg|ttf)$/.test(name)) continue;
      writeFileSync(`${path}.gz`, gzipSync(readFileSync(path), { level: 9 }));
      rmSync(path);
    }
  },
};

export default defineConfig({
  base: '/graphiql/',
  plugins: [react(), gzip],
  worker: { format: 'es' },
  build: {
    target: 'es2022',
    assetsInlineLimit: 0, // a data: address would need a wider Content-Security-Policy
    chunkSizeWarningLimit: 5000,
    rolldownOptions: {
      input: ['index.html', 'docs.html'],
      checks: { moduleLevelDirective: false }, // React's compiler left marks in published files
    },
    license: { fileName: 'LICENSES.md' },
  },
});
