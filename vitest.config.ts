import { defineConfig } from 'vitest/config';
import { mutantPlugin } from './test/mutants/plugin.ts';

export default defineConfig({
  plugins: mutantPlugin(),
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
