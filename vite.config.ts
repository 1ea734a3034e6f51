import { join } from 'node:path';
import { defineConfig, type Plugin } from 'vite';

/** What the built page may do. Chain and peer servers are the user's choice, so connections are not limited to hosts. */
const CONTENT_SECURITY_POLICY: string = [
  "default-src 'none'",
  "script-src 'self'",
  "worker-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "manifest-src 'self'",
  "connect-src 'self' https: wss: http://127.0.0.1:* ws://127.0.0.1:* http://localhost:* ws://localhost:*",
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');

/** Only in builds: the development server injects styles into the page. */
function contentSecurityPolicy(): Plugin {
  return {
    name: 'content-security-policy',
    apply: 'build',
    transformIndexHtml: () => [
      {
        tag: 'meta',
        attrs: { 'http-equiv': 'Content-Security-Policy', content: CONTENT_SECURITY_POLICY },
        injectTo: 'head-prepend',
      },
    ],
  };
}

/** What packages are to use in place of others. */
export const PACKAGE_ALIASES: Readonly<Record<string, string>> = {
  'fetch-plus-plus': join(import.meta.dirname, 'worker/edges/chain/package-fetch.ts'),
};

export default defineConfig({
  // Relative, so that the build works below any path and inside a Capacitor app.
  base: './',
  plugins: [contentSecurityPolicy()],
  resolve: { alias: PACKAGE_ALIASES },
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  worker: { format: 'es' },
  build: { target: 'es2022', modulePreload: { polyfill: false }, reportCompressedSize: false },
});
