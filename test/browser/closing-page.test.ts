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

const TO_SELF_DELAY = 144;
const HTLC_SAT = 40_000;

let world: World;
let control: ControlServer;
let site: StaticServer;
let context: BrowserContext;
let page: Page;
let profile: string;

beforeAll(async () => {
  await buildWallet();
  world = await World.start({ withoutBob: true });
  control = new ControlServer(world);
  await control.listen(0);
  site = walletSite(world, control.url);
  await site.listen(0);
  profile = await mkdtemp(join(tmpdir(), 'glowworm-closing-'));
  context = await launchChromium(profile);
  context.setDefaultTimeout(15_000);
  page = await context.newPage();
  await page.setViewportSize({ width: 360, height: 740 });
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
const numberIn = (text: string): number => Number(text.replace(/[^\d.]/g, ''));

/** What is shown in a card as its large number, and the sum of its lines. */
async function totals(): Promise<{ readonly whole: number; readonly parts: number }> {
  const card = page.getByLabel('Total balance');
  // The first waits for the page, and what is listed does not.
  const whole = numberIn(await card.locator('.balance-amount').innerText());
  const parts = await card.locator('.facts dd').allInnerTexts();
  return { whole, parts: parts.reduce((sum, text) => sum + numberIn(text), 0) };
}

/** The moments of the close, each with its amount. */
const moments = (): Promise<readonly string[]> => page.getByLabel('The close').locator('.moment').allInnerTexts();

async function mine(blocks: number): Promise<void> {
  const height = await world.mine(blocks);
  await page
    .getByText(new RegExp(`block ${String(height).replace(/\B(?=(\d{3})+$)/g, '\\s')}$`))
    .first()
    .waitFor();
}

/** For whoever wants to look: `GLOWWORM_SHOTS` names a folder. */
async function shot(name: string): Promise<void> {
  const folder = process.env['GLOWWORM_SHOTS'];
  if (folder !== undefined) await page.screenshot({ path: join(folder, `closing-${name}.png`), fullPage: true });
}

async function shots(name: string): Promise<void> {
  await shot(name);
  await section('Home');
  await shot(`${name}-home`);
  await page.goBack();
}

describe('a channel that is closed alone with a payment under way', () => {
  let before: number;

  it('is opened and used', async () => {
    await button('Create a new wallet').click();
    await page.getByLabel('I have written them down').check();
    await button('Open my wallet').click();
    await button('Give me coins').click();
    await seen('Your coins are here.');
    await page.getByRole('link', { name: 'Open a channel' }).click();
    await page.getByLabel('Amount').fill('600000');
    await button('Continue').click();
    await page.getByRole('dialog').getByRole('button', { name: 'Open channel' }).click();
    await seen(/Waiting for the chain: 0 of \d/);
    await section('Home');
    await button('Mine 6 blocks').click();
    await seen('A channel is ready.');
    world.alice.reactions.holding = true;
    const invoice = world.alice.invoice({ msat: HTLC_SAT * 1000, description: 'a slow payment' });
    await page.getByRole('link', { name: 'Send' }).click();
    await page.getByLabel('Invoice or address').fill(invoice);
    await button(/^Pay 40\s000/).click();
    await world.until('the payment is held', () =>
      world.alice.channels().some(({ pendingInbound }) => pendingInbound === 1),
    );
    await section('Home');
    const { whole, parts } = await totals();
    expect(whole).toBe(parts);
    before = whole;
  });

  it('says at once what is to come back, and what may', async () => {
    await section('Channels');
    await page.getByText('Ready', { exact: true }).click();
    // A peer that hears of it closes too, and its transaction may be first.
    await world.alice.sockets.stop();
    await button('Force-close channel').click();
    await page.getByRole('dialog').getByRole('button', { name: 'Force-close' }).click();
    await seen('Your closing transaction');
    await world.until('our commitment', () => world.chain.mempoolTxs().length > 0);
    const shown = await moments();
    expect(shown[0]).toContain('Not confirmed yet');
    expect(shown.some((text) => /Comes back\s+5\d\d\s\d{3}/.test(text))).toBe(true);
    expect(shown.some((text) => /A payment of yours\s+40\s000/.test(text))).toBe(true);
    await shots('decided');
  });

  it('is never nowhere, and never there twice', async () => {
    await section('Home');
    const { whole, parts } = await totals();
    expect(whole).toBe(parts);
    expect(before - whole).toBeGreaterThanOrEqual(0);
    expect(before - whole).toBeLessThan(5_000);
    await page.getByLabel('Total balance').getByText('Payments under way there').waitFor();
    await page.goBack();
  });

  it('says at which height and in how many blocks each part comes, once it is in a block', async () => {
    await mine(1);
    await seen('Confirmed once.');
    await seen(new RegExp(`From block ${world.chain.height + TO_SELF_DELAY}, in ${TO_SELF_DELAY} blocks`));
    await seen(/Can be taken back from block \d+, in \d+ blocks, unless it was made/);
    await shots('confirmed');
  });

  it('brings the payment back after its expiry, and says what that cost', async () => {
    await mine(TO_SELF_DELAY);
    await page.getByLabel('The close').getByText('Paid to your coins').first().waitFor();
    await shots('main-output');
    await mine(TO_SELF_DELAY + 60);
    await mine(2);
    await shots('done');
    const shown = await moments();
    expect(shown.filter((text) => text.includes('Comes back'))).toEqual([]);
    await section('Home');
    const { whole, parts } = await totals();
    expect(whole).toBe(parts);
    expect(before - whole).toBeLessThan(10_000);
    await section('Activity');
    await seen('Channel opened');
    await shot('activity');
  });
});
