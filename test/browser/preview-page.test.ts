import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium, type JSHandle, type Locator, type Page } from 'playwright-core';
import { build } from 'vite';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { FakeWallet } from '../src/fake-wallet.ts';
import { StaticServer } from '../world/static-server.ts';
import { chromiumPath } from './harness.ts';

const PREVIEW = fileURLToPath(new URL('../src/preview/', import.meta.url));
const ADA = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080';
const BEN = 'bcrt1q94c3vs4hy6cygqtz0j5lhtpj7hy9xra3cpcc0y';

let directory: string;
let server: StaticServer;
let browser: Browser;
let page: Page;
let fake: JSHandle<FakeWallet>;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'glowworm-preview-'));
  await build({
    root: PREVIEW,
    configFile: false,
    base: './',
    logLevel: 'warn',
    oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
    build: { outDir: directory, emptyOutDir: true, target: 'es2022', modulePreload: { polyfill: false } },
  });
  server = new StaticServer({ directory, connectsTo: [], documents: {} });
  await server.listen();
  browser = await chromium.launch({ executablePath: chromiumPath(), headless: true, args: ['--no-sandbox'] });
});
afterAll(async () => {
  await browser.close();
  await server.stop();
  await rm(directory, { recursive: true, force: true });
});

beforeEach(async () => {
  page = await browser.newPage({ viewport: { width: 360, height: 740 } });
  page.setDefaultTimeout(10_000);
  const config = JSON.stringify({ network: 'regtest', esploraUrl: 'http://127.0.0.1:1' });
  await page.addInitScript((saved) => localStorage.setItem('glowworm.config', saved), config);
});
afterEach(async () => {
  await page.close();
});

/** A page of a wallet that has done something; `?` begins anew, where another hash would not. */
async function visit(hash: string): Promise<void> {
  await page.goto(`${server.url}?wallet=running#/${hash}`);
  await page.getByRole('heading', { level: 1 }).waitFor({ state: 'attached' });
  fake = (await page.evaluateHandle('fake')) as JSHandle<FakeWallet>;
}

const callsOf = (method: string): Promise<readonly unknown[]> =>
  fake.evaluate((wallet, wanted) => wallet.calls.filter(([name]) => name === wanted).map(([, args]) => args), method);

const button = (name: string | RegExp): Locator => page.getByRole('button', { name });
const fact = (within: Page | Locator, name: string, value: string): Promise<void> =>
  within.locator('.facts > div', { hasText: name }).locator('dd', { hasText: value }).waitFor();

/** For whoever wants to look: `GLOWWORM_SHOTS` names a folder. Nothing may stand out of a narrow page. */
async function look(name: string): Promise<void> {
  const folder = process.env['GLOWWORM_SHOTS'];
  for (const width of [1280, 360]) {
    await page.setViewportSize({ width, height: 740 });
    if (folder !== undefined) await page.screenshot({ path: join(folder, `preview-${name}-${width}.png`) });
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
  }
}

describe('coins for several', () => {
  it('go to those whose rows are there, for one fee, which is shown with the sum', async () => {
    await visit(`send/bitcoin:${ADA}?amount=0.0005&label=Rent`);
    await button('Add a recipient').click();
    await page.getByRole('group', { name: 'Recipient 2' }).getByLabel('Address').fill('nobody');
    await page.getByText('Check that all of it was copied').waitFor();
    expect(await button('Continue').isDisabled()).toBe(true);
    await button('Add a recipient').click();
    await page.getByRole('group', { name: 'Recipient 3' }).getByLabel('Address').fill(`bitcoin:${BEN}?amount=0.0002`);
    await button('Remove recipient 2').click();
    await fact(page, 'To all of them', '70\u202f000');
    await look('several');
    await button('Continue').click();
    const dialog = page.getByRole('dialog', { name: 'Send these coins?' });
    await fact(dialog, 'Network fee', '282');
    await fact(dialog, 'Total', '70\u202f282');
    expect(await dialog.getByLabel('Recipients').getByRole('listitem').allInnerTexts()).toEqual([
      expect.stringMatching(new RegExp(`${ADA}\\s+50\\s000`)),
      expect.stringMatching(new RegExp(`${BEN}\\s+20\\s000`)),
    ]);
    await look('several-confirm');
    await dialog.getByRole('button', { name: /^Send/ }).click();
    await page.getByRole('heading', { name: 'On its way' }).waitFor();
    const outputs = [
      { address: ADA, amountSat: 50_000n },
      { address: BEN, amountSat: 20_000n },
    ];
    expect(await callsOf('sendOnchain')).toEqual([{ outputs, label: 'Rent', maxFeeSat: 282n }]);
  });

  it('are not more than there are', async () => {
    await visit(`send/bitcoin:${ADA}?amount=0.01`);
    await button('Add a recipient').click();
    await page.getByRole('group', { name: 'Recipient 2' }).getByLabel('Address').fill(`bitcoin:${BEN}?amount=0.0024`);
    await page.getByText(/^More than can be spent: 1\s230\s000/).waitFor();
    expect(await button('Continue').isDisabled()).toBe(true);
  });
});

describe('coins for one', () => {
  it('go at the feerate that is chosen, with the label that is typed', async () => {
    await visit(`send/${ADA}`);
    await page.getByLabel('Amount').fill('50000');
    await page.getByLabel('Label').fill('Rent');
    await page.getByLabel('Feerate').fill('3');
    await look('one');
    await button('Continue').click();
    await fact(page.getByRole('dialog'), 'Network fee', '423');
    await look('one-confirm');
    await page.getByRole('dialog').getByRole('button', { name: /^Send/ }).click();
    await page.getByRole('heading', { name: 'On its way' }).waitFor();
    expect(await callsOf('sendOnchain')).toEqual([
      { address: ADA, amountSat: 50_000n, feeratePerVbyte: 3, label: 'Rent', maxFeeSat: 423n },
    ]);
  });

  it('are said to confirm in the time of the network', async () => {
    await visit(`send/${ADA}`);
    await fake.evaluate((wallet) => wallet.show({ network: 'mutinynet' }));
    await page.getByText('should confirm within about 6 minutes').waitFor();
    await fake.evaluate((wallet) => wallet.show({ network: 'bitcoin' }));
    await page.getByText('should confirm within about 2 hours').waitFor();
  });
});
