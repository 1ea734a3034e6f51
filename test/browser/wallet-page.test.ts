import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BrowserContext, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ControlServer } from '../world/control.ts';
import type { StaticServer } from '../world/static-server.ts';
import { buildWallet, walletSite } from '../world/wallet-site.ts';
import { World } from '../world/world.ts';
import { launchChromium } from './harness.ts';

const ELSEWHERE = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080';
const ELSEWHERE_TOO = 'bcrt1q94c3vs4hy6cygqtz0j5lhtpj7hy9xra3cpcc0y';

let world: World;
let control: ControlServer;
let site: StaticServer;
let context: BrowserContext;
let page: Page;
let profile: string;
const troubles: string[] = [];

beforeAll(async () => {
  await buildWallet();
  world = await World.start();
  control = new ControlServer(world);
  await control.listen(0);
  site = walletSite(world, control.url);
  await site.listen(0);
  profile = await mkdtemp(join(tmpdir(), 'glowworm-page-'));
  context = await launchChromium(profile);
  context.setDefaultTimeout(15_000);
  page = await context.newPage();
  await page.setViewportSize({ width: 360, height: 740 });
  page.on('console', (message) => {
    if (message.type() === 'error') troubles.push(message.text());
  });
  page.on('pageerror', (error) => troubles.push(error.message));
  await page.goto(site.url);
});
afterAll(async () => {
  await context.close();
  await rm(profile, { recursive: true, force: true });
  await site.stop();
  await control.stop();
  await world.stop();
});

const button = (name: string | RegExp): Locator => page.getByRole('button', { name });
const seen = (text: string | RegExp): Promise<void> => page.getByText(text).first().waitFor();
const section = (name: string): Promise<void> =>
  page.getByRole('navigation', { name: 'Sections' }).getByRole('link', { name }).click();

/** What a list of facts says below a name, once that is known: while it is asked for, it says '…'. */
const fact = (within: Page | Locator, name: string): Promise<string> =>
  within.locator('.facts > div', { hasText: name }).locator('dd').filter({ hasNotText: '…' }).innerText();

/** The number in an amount, whose digits are grouped. */
const numberIn = (text: string): number => Number(text.replace(/[^\d.]/g, ''));

/** For whoever wants to look: `GLOWWORM_SHOTS` names a folder. */
async function shot(name: string): Promise<void> {
  const folder = process.env['GLOWWORM_SHOTS'];
  if (folder !== undefined) await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
}

describe('the reference wallet', () => {
  it('creates a wallet and shows its twelve words', async () => {
    await button('Create a new wallet').click();
    await seen('Write down these 12 words');
    await shot('words');
    expect(await button('Open my wallet').isDisabled()).toBe(true);
    await page.getByLabel('I have written them down').check();
    await button('Open my wallet').click();
    await seen('To pay over Lightning you need a channel');
  });

  it('gets coins', async () => {
    await button('Give me coins').click();
    await seen('Your coins are here.');
    await shot('coins');
  });

  it('opens a channel that six blocks make ready', async () => {
    await page.getByRole('link', { name: 'Open a channel' }).click();
    await page.getByLabel('Amount').fill('600000');
    await button('Continue').click();
    const dialog = page.getByRole('dialog', { name: 'Open this channel?' });
    const feeSat = numberIn(await fact(dialog, 'Network fee'));
    await shot('confirm-channel');
    await dialog.getByRole('button', { name: 'Open channel' }).click();
    await seen(/Waiting for the chain: 0 of \d/);
    await world.until('the funding is out', () => world.chain.mempoolEntries().length === 1);
    expect(world.chain.mempoolEntries()[0]?.fee).toBe(feeSat);
    await shot('confirming');
    await section('Home');
    await button('Mine 6 blocks').click();
    await seen('A channel is ready.');
    await section('Channels');
    await page.getByText('Ready', { exact: true }).waitFor();
    await shot('channel');
  });

  it('pays an invoice', async () => {
    await section('Home');
    await button('Make an invoice').click();
    await button(/^Pay 10\s000/).click();
    await page.getByRole('heading', { name: /^Sent 10\s000/ }).waitFor();
    await shot('sent');
    await page.getByRole('link', { name: 'Done' }).click();
    await seen('Regtest coffee');
  });

  it('pays a node behind its peer by a pasted invoice, for the fee that it showed before', async () => {
    await page.getByRole('link', { name: 'Send' }).click();
    await page.getByLabel('Invoice or address').fill(world.bob.invoice({ msat: 20_000_000, description: 'a book' }));
    await button(/^Pay 20\s000/)
      .and(page.locator(':enabled'))
      .waitFor();
    const feeSat = numberIn(await fact(page, 'Routing fee'));
    expect(feeSat).toBeGreaterThan(0);
    expect(numberIn(await fact(page, 'Total'))).toBe(20_000 + feeSat);
    await shot('review-lightning');
    await button(/^Pay 20\s000/).click();
    await page.getByRole('heading', { name: /^Sent 20\s000/ }).waitFor();
    expect(numberIn(await page.getByText('Routing fee:').innerText())).toBe(feeSat);
    await page.getByRole('link', { name: 'Done' }).click();
    await seen('a book');
  });

  it('is paid by an invoice that it shows', async () => {
    await page.getByRole('link', { name: 'Receive', exact: true }).click();
    await button('Lightning').or(page.getByLabel('Lightning')).first().click();
    await page.getByLabel('Amount').fill('1234');
    await page.getByLabel('Description').fill('for you');
    await button('Create invoice').click();
    const invoice = await page.getByText(/^lnbcrt/).innerText();
    await shot('invoice');
    world.alice.pay(invoice);
    await page.getByRole('heading', { name: /^Received 1\s234/ }).waitFor();
    await shot('received');
    await page.getByRole('link', { name: 'Done' }).click();
    await shot('home');
  });

  it('says what is wrong with what was pasted', async () => {
    await page.getByRole('link', { name: 'Send' }).click();
    await page.getByLabel('Invoice or address').fill(world.alice.invoice({ msat: 1_000 }).slice(0, -1));
    await page.getByRole('alert').or(page.locator('.wrong')).first().waitFor();
    await shot('wrong');
    await section('Home');
  });

  it('has everything after a reload', async () => {
    await page.reload();
    await seen('for you');
    await seen('Regtest coffee');
    await section('Channels');
    await page.getByText('Ready', { exact: true }).waitFor();
  });

  it('says in a second tab that it is open elsewhere', async () => {
    const second = await context.newPage();
    await second.goto(site.url);
    await second
      .getByText(/another tab/)
      .first()
      .waitFor();
    await second.close();
  });

  it('closes its channel and has the money on chain', async () => {
    await page.getByText('Ready', { exact: true }).click();
    await page.getByRole('button', { name: 'Close channel', exact: true }).click();
    await button('Close it').click();
    await seen('Closed by agreement.');
    await world.until('the closing transaction', () => world.chain.mempoolTxs().length > 0);
    await section('Home');
    await button('Mine 1 block').click();
    const card = page.getByLabel('On-chain balance');
    await card.getByText(/^9[67]\d\s\d{3}/).waitFor();
    await shot('closed');
  });

  it('shows what an on-chain payment costs and sends it once that is confirmed, by keyboard alone', async () => {
    await page.getByRole('link', { name: 'Send' }).click();
    await page.getByLabel('Invoice or address').fill(ELSEWHERE);
    await page.getByLabel('Amount').fill('50000');
    await button('Continue').press('Enter');
    const dialog = page.getByRole('dialog', { name: 'Send these coins?' });
    await dialog.waitFor();
    await shot('confirm-onchain');
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    expect(await button('Continue').evaluate((element) => element === document.activeElement)).toBe(true);
    expect(world.chain.mempoolTxs()).toEqual([]);
    await page.keyboard.press('Enter');
    const feeSat = numberIn(await fact(dialog, 'Network fee'));
    expect(numberIn(await fact(dialog, 'Total'))).toBe(50_000 + feeSat);
    expect(await dialog.innerText()).toContain(ELSEWHERE);
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'On its way' }).waitFor();
    await shot('sent-onchain');
    await world.until('the payment is out', () => world.chain.mempoolEntries().length === 1);
    expect(world.chain.mempoolEntries()[0]?.fee).toBe(feeSat);
    await world.mine(1);
  });

  it('pays several by one transaction, for the one fee that it showed', async () => {
    await section('Home');
    await page.getByRole('link', { name: 'Send' }).click();
    await page.getByLabel('Invoice or address').fill(ELSEWHERE);
    await page.getByLabel('Amount').fill('20000');
    await button('Add a recipient').click();
    const second = page.getByRole('group', { name: 'Recipient 2' });
    await second.getByLabel('Address').fill(ELSEWHERE_TOO);
    await second.getByLabel('Amount').fill('30000');
    await page.getByLabel('Label').fill('Rent and food');
    await shot('several');
    await button('Continue').click();
    const dialog = page.getByRole('dialog', { name: 'Send these coins?' });
    const feeSat = numberIn(await fact(dialog, 'Network fee'));
    expect(numberIn(await fact(dialog, 'Total'))).toBe(50_000 + feeSat);
    await shot('confirm-several');
    await dialog.getByRole('button', { name: /^Send/ }).click();
    await page.getByRole('heading', { name: 'On its way' }).waitFor();
    await world.until('the payment is out', () => world.chain.mempoolEntries().length === 1);
    expect(world.chain.mempoolEntries()[0]?.fee).toBe(feeSat);
    await section('Activity');
    const line = page.locator('.activity', { hasText: 'Rent and food' });
    await line.getByText(/50\s000/).waitFor();
    await line.getByText(ELSEWHERE, { exact: true }).waitFor();
    await line.getByText('and 1 more').click();
    await line.getByText(ELSEWHERE_TOO).waitFor();
    await shot('activity-several');
    await world.mine(1);
  });

  it('shows the label of an address beside the coins that come to it', async () => {
    await section('Home');
    await page.getByRole('link', { name: 'Receive', exact: true }).click();
    await page.getByLabel('On-chain').check();
    await page.getByLabel('Label').fill('From Ada');
    await button('Another address, with this label').click();
    await page.getByRole('heading', { name: 'From Ada' }).waitFor();
    await shot('labelled');
    await world.fund(await page.getByText(/^bcrt1/).innerText(), 40_000);
    await section('Activity');
    await page
      .locator('.activity', { hasText: 'From Ada' })
      .getByText(/40\s000/)
      .waitFor();
  });

  it('asks again when the fee has risen meanwhile', async () => {
    await section('Home');
    await page.getByRole('link', { name: 'Receive', exact: true }).click();
    await button('On-chain').or(page.getByLabel('On-chain')).first().click();
    const address = await page.getByText(/^bcrt1/).innerText();
    await section('Home');
    await page.getByRole('link', { name: 'Send' }).click();
    await page.getByLabel('Invoice or address').fill(ELSEWHERE);
    await page.getByLabel('Everything that can be spent').check();
    await button('Continue').click();
    const dialog = page.getByRole('dialog', { name: 'Send these coins?' });
    const before = numberIn(await fact(dialog, 'Network fee'));
    const spendable = page.locator('label.check', { hasText: 'Everything' });
    const shown = await spendable.innerText();
    await world.fund(address, 30_000);
    await spendable.filter({ hasNotText: shown }).waitFor();
    await dialog.getByRole('button', { name: /^Send/ }).click();
    await dialog.getByRole('alert').getByText('The network fee has risen').waitFor();
    await shot('fee-risen');
    expect(numberIn(await fact(dialog, 'Network fee'))).toBeGreaterThan(before);
    await dialog.getByRole('button', { name: /^Send/ }).click();
    await page.getByRole('heading', { name: 'On its way' }).waitFor();
  });

  it('says when coins came and went', async () => {
    await section('Activity');
    const lines = page.locator('.activity', { hasText: /on-chain/i });
    await lines.first().waitFor();
    await shot('activity');
    const texts = await lines.allInnerTexts();
    expect(texts.length).toBeGreaterThan(3);
    expect(texts.filter((text) => !/just now|min ago/.test(text))).toEqual([]);
  });

  it('cancels a payment that waits for a block, once its fee is agreed to', async () => {
    await page.locator('.onchainSent-pending').getByRole('button', { name: 'Cancel' }).click();
    const dialog = page.getByRole('dialog', { name: 'Cancel this payment?' });
    const feeSat = numberIn(await fact(dialog, 'Network fee instead'));
    await shot('cancel');
    await dialog.getByRole('button', { name: 'Cancel payment' }).click();
    await page.locator('.onchainSent-replaced').waitFor();
    const cancelled = page.locator('.activity', { hasText: 'Moved within this wallet' });
    await cancelled.getByRole('button', { name: 'Speed up' }).waitFor();
    expect(await cancelled.getByRole('button', { name: 'Cancel' }).count()).toBe(0);
    await shot('cancelled');
    await world.until('the cancellation is out', () => world.chain.mempoolEntries()[0]?.fee === feeSat);
    expect(world.chain.mempoolEntries()).toHaveLength(1);
    await world.mine(1);
  });

  it('had no trouble meanwhile', () => {
    expect(troubles).toEqual([]);
  });

  it('asks for a second yes to close by force while the peer has not confirmed the state, and closes then', async () => {
    await section('Home');
    await button('Give me coins').click();
    await seen('Your coins are here.');
    await page.getByRole('link', { name: 'Open a channel' }).click();
    await page.getByLabel('Amount').fill('100000');
    await button('Continue').click();
    await page.getByRole('dialog').getByRole('button', { name: 'Open channel' }).click();
    await seen(/Waiting for the chain: 0 of \d/);
    await section('Home');
    await button('Mine 6 blocks').click();
    await seen('A channel is ready.');
    await world.alice.sockets.stop();
    await page.reload();
    await section('Channels');
    await page
      .locator('a', { hasText: /100\s000/ })
      .first()
      .click();
    await button('Force-close channel').click();
    const dialog = page.getByRole('dialog', { name: 'Force-close this channel?' });
    const yes = dialog.getByRole('button', { name: 'Force-close' });
    expect(await yes.isDisabled()).toBe(true);
    await shot('force-close-unconfirmed');
    await dialog.getByLabel(/The peer has not confirmed since the start/).check();
    await yes.click();
    await world.until('our commitment', () => world.chain.mempoolTxs().length > 0);
    await shot('force-closed');
  });
});
