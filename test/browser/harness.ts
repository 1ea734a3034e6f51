import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BrowserContext, type CDPSession, chromium, type Page } from 'playwright-core';
import { build } from 'vite';
import type { WalletApi, WalletConfig, WalletUpdate } from '../../worker/client/api.ts';
import { GlowwormError } from '../../worker/engine/primitives/errors.ts';
import { type DrivenWallet, Told, type WalletCalls } from '../interop/driven-wallet.ts';
import { StaticServer } from '../world/static-server.ts';
import type { World } from '../world/world.ts';
import type { Answer } from './page/page.ts';

const PAGE = fileURLToPath(new URL('./page/', import.meta.url));
const ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** The executable to run. Throws what to do where there is none. */
export function chromiumPath(): string {
  const candidates = [process.env['CHROMIUM_PATH'], '/usr/bin/chromium', chromium.executablePath()];
  const found = candidates.find((path) => path !== undefined && existsSync(path));
  if (found === undefined)
    throw new Error('The browser tests need Chromium: run `apt-get install -y chromium`, or set CHROMIUM_PATH.');
  return found;
}

/** Chromium with a profile on disk, since a plain context keeps IndexedDB in memory. */
export const launchChromium = (profile: string): Promise<BrowserContext> =>
  chromium.launchPersistentContext(profile, { executablePath: chromiumPath(), headless: true, args: ARGS });

/** The test page, built and served over a world, and the browser that shows it. */
export class Harness {
  readonly world: World;
  readonly #directory: string;
  readonly #server: StaticServer;
  #context: BrowserContext;

  private constructor(world: World, directory: string, server: StaticServer, context: BrowserContext) {
    this.world = world;
    this.#directory = directory;
    this.#server = server;
    this.#context = context;
  }

  static async start(world: World): Promise<Harness> {
    const directory = await mkdtemp(join(tmpdir(), 'glowworm-browser-'));
    const site = join(directory, 'site');
    await buildPage(site);
    const { esploraUrl, proxyUrl, peer } = world.addresses;
    const connectsTo = [esploraUrl, proxyUrl, peer.wsUrl];
    const server = new StaticServer({ directory: site, connectsTo, documents: {} });
    await server.listen();
    return new Harness(world, directory, server, await launchChromium(join(directory, 'profile')));
  }

  async stop(): Promise<void> {
    await this.#context.close();
    await this.#server.stop();
    await rm(this.#directory, { recursive: true, force: true });
  }

  get origin(): string {
    return new URL(this.#server.url).origin;
  }

  /** Ends Chromium and starts it on the same profile. Tabs are gone. */
  async restartBrowser(): Promise<void> {
    await this.#context.close();
    this.#context = await launchChromium(join(this.#directory, 'profile'));
  }

  /** A tab without an open wallet. `told` collects what a wallet tells over several tabs, `more` is of its configuration. */
  async newTab(
    name: string,
    told: Told = new Told(() => this.world.changes.notify()),
    more: Partial<WalletConfig> = {},
  ): Promise<Tab> {
    const page = await this.#context.newPage();
    await page.exposeFunction('told', (update: WalletUpdate) => told.update(update));
    await page.goto(this.#server.url);
    const config: WalletConfig = { network: 'regtest', esploraUrls: [this.world.esplora.url], name, ...more };
    return new Tab(page, config, told);
  }
}

/** A tab of the test page, and the wallet that it opens. */
export class Tab implements DrivenWallet {
  readonly page: Page;
  readonly told: Told;
  readonly api: WalletCalls = walletCalls((method, args) => this.call(method, args));
  readonly #config: WalletConfig;
  /** An override ends with the session that made it. */
  #devTools: CDPSession | undefined;

  constructor(page: Page, config: WalletConfig, told: Told) {
    this.page = page;
    this.#config = config;
    this.told = told;
  }

  async open(): Promise<void> {
    valueOf(await this.page.evaluate((config) => window.testPage.open(config), this.#config));
  }

  async openWithoutScript(): Promise<void> {
    valueOf(await this.page.evaluate((config) => window.testPage.openWithoutScript(config), this.#config));
  }

  async call(method: keyof WalletApi | 'close', args: readonly unknown[]): Promise<unknown> {
    const call = { method, args };
    return valueOf(await this.page.evaluate(({ method, args }) => window.testPage.call(method, args), call));
  }

  /** Reloads the page and opens the wallet again. */
  async reload(): Promise<void> {
    await this.page.reload();
    await this.open();
  }

  /** Ends the worker, as a browser does that is short of memory, and opens the wallet with another. */
  async restartWorker(): Promise<void> {
    await this.page.evaluate(() => window.testPage.terminate());
    await this.open();
  }

  /** What the browser counts for the page's origin, in bytes. */
  usedStorage(): Promise<number> {
    return this.page.evaluate(async () => (await navigator.storage.estimate()).usage ?? 0);
  }

  /** Limits the storage of the page's origin; without `bytes` back to what the browser allows. */
  async limitStorage(origin: string, bytes?: number): Promise<void> {
    this.#devTools ??= await this.page.context().newCDPSession(this.page);
    await this.#devTools.send('Storage.overrideQuotaForOrigin', {
      origin,
      ...(bytes === undefined ? {} : { quotaSize: bytes }),
    });
  }
}

async function buildPage(outDir: string): Promise<void> {
  await build({
    root: PAGE,
    configFile: false,
    base: './',
    logLevel: 'warn',
    worker: { format: 'es' },
    build: { outDir, emptyOutDir: true, target: 'es2022', minify: false, modulePreload: { polyfill: false } },
  });
}

function valueOf(answer: Answer): unknown {
  if (answer.kind === 'error') throw new GlowwormError(answer.code, answer.message);
  return answer.value;
}

function walletCalls(call: (method: keyof WalletApi, args: readonly unknown[]) => Promise<unknown>): WalletCalls {
  const target = {} as WalletCalls;
  return new Proxy(target, {
    get:
      (_target, name) =>
      (...args: readonly unknown[]) =>
        call(name as keyof WalletApi, args),
  });
}
