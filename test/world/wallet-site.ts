import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { StaticServer } from './static-server.ts';
import type { World } from './world.ts';

const PROJECT = fileURLToPath(new URL('../../', import.meta.url));

/** Builds the reference wallet into `dist/` with the project's own Vite configuration. */
export async function buildWallet(): Promise<void> {
  if (!existsSync(`${PROJECT}index.html`)) throw new Error('there is no index.html to build the reference wallet from');
  const { build } = await import('vite');
  await build({ root: PROJECT, logLevel: 'warn' });
}

/** Serves `dist/`, and where the world is as `/world.json`. */
export function walletSite(world: World, controlUrl: string): StaticServer {
  const { esploraUrl, proxyUrl, peer } = world.addresses;
  return new StaticServer({
    directory: `${PROJECT}dist`,
    connectsTo: [esploraUrl, controlUrl, proxyUrl, peer.wsUrl],
    documents: { '/world.json': { ...world.addresses, controlUrl } },
  });
}
