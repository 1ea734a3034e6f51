import { defineConfig } from 'vitest/config';
import { mutantPlugin } from './test/mutants/plugin.ts';
import { PACKAGE_ALIASES } from './vite.config.ts';

export default defineConfig({
  plugins: mutantPlugin(),
  resolve: { alias: PACKAGE_ALIASES },
  test: {
    // What it imports is replaced, as in a build.
    server: { deps: { inline: ['esplora-client'] } },
    include: ['test/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
