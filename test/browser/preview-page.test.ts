import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium, type JSHandle, type Locator, type Page } from 'playwright-core';
import { build } from 'vite';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Activity } from '../../worker/client/api.ts';
import { ALICE, type FakeWallet } from '../src/fake-wallet.ts';
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

/** Shows other activities than those that the fake wallet has by itself. */
async function visitActivities(...activities: readonly Activity[]): Promise<void> {
  await visit('');
  await fake.evaluate((wallet, shown) => (wallet.activities = shown), activities);
  await page.getByRole('navigation', { name: 'Sections' }).getByRole('link', { name: 'Activity' }).click();
  await page.locator('.activity').first().waitFor();
}

const raiseFees = (): Promise<number> => fake.evaluate((wallet) => (wallet.satPerVbyte = 30));
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

const waiting: Activity = {
  id: 'ab'.repeat(32),
  kind: 'onchainSent',
  state: 'pending',
  amountMsat: 50_000_000n,
  feeMsat: 282_000n,
  description: ADA,
  at: Date.UTC(2026, 4, 17, 12, 0),
};

describe('the list of activities', () => {
  it('shows the label, the first of a hundred recipients, and the others to whoever asks', async () => {
    const description = [ADA, ...Array.from({ length: 99 }, () => BEN)].join(', ');
    await visitActivities({ ...waiting, label: 'Wages in May', description });
    await look('hundred');
    expect(await page.locator('.activity-title').innerText()).toBe('Wages in May');
    await page.getByText(ADA).waitFor();
    expect(await page.getByText(BEN).first().isVisible()).toBe(false);
    await page.getByText('and 99 more').click();
    await page.getByText(BEN).last().waitFor();
  });

  it('offers to cancel what pays somebody, and nothing else', async () => {
    const toItself = { ...waiting, id: 'ac'.repeat(32), amountMsat: 0n };
    const coming = { ...waiting, id: 'ad'.repeat(32), kind: 'onchainReceived', description: '', feeMsat: 0n } as const;
    await visitActivities(waiting, toItself, coming);
    await look('waiting');
    const offered = page.locator('.activity').filter({ has: button('Cancel') });
    expect(await button('Speed up').count()).toBe(3);
    expect(await offered.count()).toBe(1);
    await offered.getByText(ADA).waitFor();
  });

  it('shortens what somebody else has written', async () => {
    const description = 'a'.repeat(600);
    await visitActivities({ ...waiting, kind: 'sent', state: 'succeeded', description });
    await look('long');
    const box = await page.locator('.activity-title').boundingBox();
    expect(box?.height).toBeLessThan(100);
  });
});

describe('a payment that waits for a block', () => {
  it('is sped up at the feerate that is chosen, for the fee that is shown for it', async () => {
    await visitActivities(waiting);
    await button('Speed up').click();
    const dialog = page.getByRole('dialog', { name: 'Pay a higher fee?' });
    const back = dialog.getByRole('button', { name: 'Back' });
    expect(await back.evaluate((element) => element === document.activeElement)).toBe(true);
    await fact(dialog, 'Network fee now', '282');
    await fact(dialog, 'Network fee instead', '564');
    await dialog.getByLabel('Feerate').fill('0.5');
    await dialog.getByText('From 1 to 1000, please.').waitFor();
    expect(await dialog.getByRole('button', { name: 'Pay the higher fee' }).isDisabled()).toBe(true);
    await dialog.getByLabel('Feerate').fill('10');
    await fact(dialog, 'Network fee instead', '1\u202f410');
    await fact(dialog, 'Its feerate', '10');
    await look('speed-up');
    await dialog.getByRole('button', { name: 'Pay the higher fee' }).click();
    await dialog.waitFor({ state: 'detached' });
    expect(await callsOf('bumpOnchain')).toEqual([{ txid: waiting.id, feeratePerVbyte: 10, maxFeeSat: 1_410n }]);
  });

  it.each([
    ['Speed up', 'Pay the higher fee', '4\u202f512', 'bumpOnchain', 4_512n],
    ['Cancel', 'Cancel payment', '4\u202f000', 'cancelOnchain', 4_000n],
  ])('asks again where the fee to %s has risen meanwhile', async (name, confirm, fee, method, maxFeeSat) => {
    await visitActivities(waiting);
    await button(name).click();
    const dialog = page.getByRole('dialog');
    await fact(dialog, 'Network fee instead', '5');
    await raiseFees();
    await dialog.getByRole('button', { name: confirm }).click();
    await dialog.getByRole('alert').getByText('The network fee has risen').waitFor();
    await fact(dialog, 'Network fee instead', fee);
    await dialog.getByRole('button', { name: confirm }).click();
    await dialog.waitFor({ state: 'detached' });
    expect((await callsOf(method)).at(-1)).toEqual({ txid: waiting.id, maxFeeSat });
  });

  it('from others is sped up for a fee of its own', async () => {
    await visitActivities({ ...waiting, kind: 'onchainReceived', description: '', feeMsat: 0n });
    await button('Speed up').click();
    const dialog = page.getByRole('dialog', { name: 'Pay a fee for it?' });
    await fact(dialog, 'Network fee', '564');
    await dialog.getByRole('button', { name: 'Pay the fee' }).click();
    await dialog.waitFor({ state: 'detached' });
    expect(await callsOf('bumpOnchain')).toEqual([{ txid: waiting.id, maxFeeSat: 564n }]);
  });
});

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

  it('are asked about as they were, also while the balance changes', async () => {
    await visit(`send/bitcoin:${ADA}?amount=0.0005`);
    await button('Continue').click();
    const dialog = page.getByRole('dialog', { name: 'Send these coins?' });
    await dialog.waitFor();
    await fake.evaluate((wallet) => {
      const { onchain } = wallet.snapshot();
      wallet.show({ onchain: { ...onchain, spendableSat: 1_000n, signing: { done: 3, of: 9 } } });
    });
    await dialog.getByRole('button', { name: 'Signing: 3 of 9 coins…' }).waitFor();
    await fact(dialog, 'Amount', '50\u202f000');
  });

  it('are those of the link that is there, also where another one was for the same address', async () => {
    await visit(`send/bitcoin:${ADA}?amount=0.0005&label=Rent`);
    await page.getByLabel('Invoice or address').fill(`bitcoin:${ADA}?amount=0.0006&label=Food`);
    await vi.waitFor(async () => {
      expect(await page.getByLabel('Amount').inputValue()).toBe('60000');
      expect(await page.getByLabel('Label').inputValue()).toBe('Food');
    });
  });

  it('are not asked for again while what was agreed to is being signed, also where its dialog is gone', async () => {
    await visit(`send/bitcoin:${ADA}?amount=0.0005`);
    const signing = { done: 3, of: 9 };
    await fake.evaluate((wallet, progress) => {
      wallet.show({ onchain: { ...wallet.snapshot().onchain, signing: progress } });
    }, signing);
    expect(await button('Signing: 3 of 9 coins…').isDisabled()).toBe(true);
    await fake.evaluate((wallet) => {
      const { signing: _, ...onchain } = wallet.snapshot().onchain;
      wallet.show({ onchain });
    });
    await button('Continue').click();
    await page.getByRole('dialog', { name: 'Send these coins?' }).waitFor();
  });

  it('are said to confirm in the time of the network', async () => {
    await visit(`send/${ADA}`);
    await fake.evaluate((wallet) => wallet.show({ network: 'mutinynet' }));
    await page.getByText('should confirm within about 6 minutes').waitFor();
    await fake.evaluate((wallet) => wallet.show({ network: 'bitcoin' }));
    await page.getByText('should confirm within about 2 hours').waitFor();
  });
});

describe('a channel', () => {
  it('is opened for the fee that was shown, and asked about again where that has risen', async () => {
    await visit(`open-channel/${ALICE}`);
    await page.getByLabel('Amount').fill('400000');
    await look('open-channel');
    await button('Continue').click();
    const dialog = page.getByRole('dialog', { name: 'Open this channel?' });
    await fact(dialog, 'Network fee', '300');
    await fact(dialog, 'Total', '400\u202f300');
    await look('open-channel-confirm');
    expect(await callsOf('openChannel')).toEqual([]);
    await raiseFees();
    await dialog.getByRole('button', { name: 'Open channel' }).click();
    await dialog.getByRole('alert').getByText('The network fee has risen').waitFor();
    await fact(dialog, 'Network fee', '4\u202f500');
    await dialog.getByRole('button', { name: 'Open channel' }).click();
    await page.getByRole('heading', { name: 'Channels' }).waitFor();
    expect(await callsOf('openChannel')).toEqual([
      { nodeId: ALICE, amountSat: 400_000n, maxFeeSat: 300n },
      { nodeId: ALICE, amountSat: 400_000n, maxFeeSat: 4_500n },
    ]);
  });
});

describe('an address', () => {
  it('is handed out with a label', async () => {
    await visit('receive');
    await page.getByLabel('On-chain').check();
    await page.getByLabel('Label').fill('Ada');
    await button('Another address, with this label').click();
    await page.getByRole('heading', { name: 'Ada' }).waitFor();
    await look('receive');
    expect((await callsOf('newAddress')).at(-1)).toEqual({ type: 'p2wpkh', label: 'Ada' });
  });
});

describe('coins that another wallet has left', () => {
  it('are taken over for the fee that was shown, and asked about again where that has risen', async () => {
    await visit('');
    await fake.evaluate((wallet) => wallet.show({ onchain: { ...wallet.snapshot().onchain, foundSat: 70_000n } }));
    const card = page.getByRole('region', { name: 'Found coins' });
    await card.getByText('70\u202f000 sat').waitFor();
    await look('found');
    await card.getByRole('button', { name: 'Take them over' }).click();
    const take = card.getByRole('button', { name: /^Take over/ });
    await take.filter({ hasText: 'a fee of 700' }).waitFor();
    await look('found-confirm');
    await raiseFees();
    await take.click();
    await card.getByRole('alert').getByText('The network fee has risen').waitFor();
    await take.filter({ hasText: '10\u202f500' }).click();
    await button('Take them over').waitFor();
    expect(await callsOf('sweepFound')).toEqual([{ maxFeeSat: 700n }, { maxFeeSat: 10_500n }]);
  });
});

describe('what goes wrong', () => {
  it('is said in the line of a payment, with what to do', async () => {
    const problem = (code: string, message: string): NonNullable<Activity['problem']> => ({
      code,
      message,
      details: {},
    });
    await visitActivities(
      {
        ...waiting,
        problem: problem(
          'SendRefusedForNow',
          'The fee of this payment is below what the network takes now. It is tried again.',
        ),
      },
      {
        ...waiting,
        id: 'cd'.repeat(32),
        state: 'failed',
        feeMsat: 0n,
        problem: problem(
          'SendRefused',
          'An amount in this payment is too small for the network. Nothing was sent and the coins are yours to spend again. If it arrives all the same, this line says so. To pay, send a larger amount.',
        ),
      },
      { ...waiting, id: 'ef'.repeat(32), state: 'replaced', feeMsat: 0n },
    );
    await page.getByText('It is tried again.').waitFor();
    await page.getByText('To pay, send a larger amount.').waitFor();
    await look('refused');
  });

  it.each([
    [
      'stale',
      'unreachable',
      { kind: 'synced', blockHeight: 117, stale: { minutes: 130, stopped: true } },
      'The newest block is 130 minutes old',
    ],
    [
      'unanswered',
      'syncing',
      {
        kind: 'syncing',
        blockHeight: 117,
        problem: { code: 'ChainSourceBadReply', message: 'status 400', details: {} },
      },
      'Some addresses could not be looked at',
    ],
    ['unseen', 'synced', { kind: 'synced', blockHeight: 117, unseen: 1 }, 'reached one server only'],
  ] as const)('with the chain is said above every page: %s', async (name, dot, chain, words) => {
    await visit('');
    await fake.evaluate((wallet, shown) => wallet.show({ chain: shown }), chain);
    await page.getByText(words).waitFor();
    expect(await page.locator('.chain').getAttribute('class')).toBe(`chain chain-${dot}`);
    await look(`chain-${name}`);
  });
});
