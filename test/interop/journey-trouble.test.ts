import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import vectors from '../vectors/bolt11.json' with { type: 'json' };
import { esploraOfRun } from '../world/esplora-flavours.ts';
import { World } from '../world/world.ts';
import { Scenario } from './scenario.ts';
import { NodeWallet } from './wallet-in-node.ts';

let world: World;
let wallet: NodeWallet;
let scenario: Scenario;

beforeAll(async () => {
  world = await World.start({ esplora: esploraOfRun() });
  wallet = await NodeWallet.openIn(world);
  scenario = new Scenario(world, wallet);
  await scenario.start();
  await scenario.openChannel(1_000_000n, 300_000_000n);
});
afterAll(async () => {
  await wallet.close();
  await world.stop();
});
afterEach(() => scenario.recovered());

const HOURS_MS = 3_600_000;
const NO_CHANNEL = '00'.repeat(32);
const UNKNOWN_NODE = '02'.padEnd(66, '79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798');

describe('the wallet refuses to pay', () => {
  it('an invoice that has expired', async () => {
    const invoice = world.alice.invoice({ msat: 1_000 });
    wallet.clockSkewMs = 2 * HOURS_MS;
    const refused = wallet.api.payInvoice({ invoice });
    wallet.clockSkewMs = 0;
    await expect(refused).rejects.toMatchObject({ code: 'InvoiceExpired' });
  });

  it('an invoice of another network', async () => {
    const foreign = vectors.valid[0]?.invoice ?? '';
    await expect(wallet.api.payInvoice({ invoice: foreign })).rejects.toMatchObject({ code: 'InvoiceOtherNetwork' });
  });

  it.each([
    ['nothing', () => ''],
    ['an address', () => 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080'],
    ['half an invoice', () => world.alice.invoice({ msat: 1_000 }).slice(0, 120)],
    ['a mistyped invoice', () => flipped(world.alice.invoice({ msat: 1_000 }))],
  ])('%s', async (_name, invoice) => {
    await expect(wallet.api.payInvoice({ invoice: invoice() })).rejects.toMatchObject({
      code: expect.stringMatching(/^Invoice/) as string,
    });
  });

  it('its own invoice', async () => {
    const { invoice } = await wallet.api.createInvoice({ amountMsat: 1_000n, description: 'mine' });
    await expect(wallet.api.payInvoice({ invoice })).rejects.toMatchObject({ code: 'PaymentToSelf' });
  });

  it('more than it has', async () => {
    const msat = Number(wallet.told.snapshot.lightning.sendableMsat + 1n);
    const refused = wallet.api.payInvoice({ invoice: world.alice.invoice({ msat }) });
    await expect(refused).rejects.toMatchObject({ code: 'InsufficientBalance' });
  });

  it('an invoice twice', async () => {
    const invoice = world.alice.invoice({ msat: 1_000_000 });
    await scenario.pay(invoice);
    await expect(wallet.api.payInvoice({ invoice })).rejects.toMatchObject({ code: 'PaymentAlreadySent' });
  });

  it('an invoice that is being paid', async () => {
    world.alice.reactions.holding = true;
    const invoice = world.alice.invoice({ msat: 1_000_000 });
    const { paymentId } = await wallet.api.payInvoice({ invoice });
    await expect(wallet.api.payInvoice({ invoice })).rejects.toMatchObject({ code: 'PaymentPending' });
    await scenario.until('the payment is held', () => world.alice.reactions.heldPayments === 1);
    world.alice.release('claim');
    await scenario.sent(paymentId);
  });

  it('without an amount, or another one than the invoice says', async () => {
    const open = wallet.api.payInvoice({ invoice: world.alice.invoice() });
    await expect(open).rejects.toMatchObject({ code: 'AmountMissing' });
    const other = wallet.api.payInvoice({ invoice: world.alice.invoice({ msat: 1_000 }), amountMsat: 2_000n });
    await expect(other).rejects.toMatchObject({ code: 'AmountMismatch' });
  });

  it('a recipient to whom no way leads', async () => {
    const stranger = await NodeWallet.openIn(world);
    await stranger.api.createWallet();
    const { invoice } = await stranger.api.createInvoice({ amountMsat: 1_000n, description: 'far away' });
    await stranger.close();
    await expect(wallet.api.payInvoice({ invoice })).rejects.toMatchObject({ code: 'NoRoute' });
  });

  it('anything while the peer is away', async () => {
    world.proxy.fault = { kind: 'refuse' };
    world.proxy.drop();
    await scenario.until('the channel is not usable', () => !scenario.channel.usable);
    const refused = wallet.api.payInvoice({ invoice: world.alice.invoice({ msat: 1_000 }) });
    await expect(refused).rejects.toMatchObject({ code: 'PeerOffline' });
  });
});

describe('the wallet names', () => {
  it('a node id that is none', async () => {
    const refused = wallet.api.connectPeer({ nodeId: '05'.repeat(33), address: scenario.proxied() });
    await expect(refused).rejects.toMatchObject({ code: 'NodeIdInvalid' });
  });

  it('a peer that it is not connected to', async () => {
    const refused = wallet.api.openChannel({ nodeId: UNKNOWN_NODE, amountSat: 100_000n });
    await expect(refused).rejects.toMatchObject({ code: 'PeerNotConnected' });
  });

  it('a peer that has another node id than was said', async () => {
    await wallet.api.connectPeer({ nodeId: UNKNOWN_NODE, address: scenario.proxied() });
    const status = await scenario.until('it failed', () =>
      wallet.told.snapshot.peers.find(({ nodeId, problem }) => nodeId === UNKNOWN_NODE && problem !== undefined),
    );
    expect(status.problem?.code).toBe('PeerHandshakeFailed');
    await wallet.api.forgetPeer({ nodeId: UNKNOWN_NODE });
  });

  it('a channel that there is not', async () => {
    const closed = wallet.api.closeChannel({ channelId: NO_CHANNEL });
    await expect(closed).rejects.toMatchObject({ code: 'ChannelUnknown' });
    const forced = wallet.api.forceCloseChannel({ channelId: NO_CHANNEL });
    await expect(forced).rejects.toMatchObject({ code: 'ChannelUnknown' });
  });

  it('a channel that is too small, or larger than its coins', async () => {
    const nodeId = world.alice.id;
    const small = wallet.api.openChannel({ nodeId, amountSat: 1_000n });
    await expect(small).rejects.toMatchObject({ code: 'ChannelTooSmall' });
    const large = wallet.api.openChannel({ nodeId, amountSat: 15_000_000_000n });
    await expect(large).rejects.toMatchObject({ code: expect.stringMatching(/Insufficient|TooLarge/) as string });
  });

  it('an address that is none, or of another network', async () => {
    const send = (address: string) => wallet.api.sendOnchain({ address, amountSat: 10_000n });
    await expect(send('nonsense')).rejects.toMatchObject({ code: 'AddressInvalid' });
    const mainnet = 'bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4';
    await expect(send(mainnet)).rejects.toMatchObject({ code: 'AddressWrongNetwork' });
  });

  it('a second wallet in the place of the first', async () => {
    await expect(wallet.api.createWallet()).rejects.toMatchObject({ code: 'WalletExists' });
  });
});

describe('an Esplora server', () => {
  it.each([
    ['wants fewer requests', { kind: 'answer', status: 429, body: 'Too Many Requests' }],
    ['answers with a page', { kind: 'answer', status: 200, body: '<html>hello</html>', type: 'text/html' }],
    ['answers with an error', { kind: 'answer', status: 500, body: '' }],
    ['breaks the connection', { kind: 'drop' }],
  ] as const)('that %s leaves funds and channel alone', async (_name, fault) => {
    const { onchain } = wallet.told.snapshot;
    world.esplora.faults.add({ ...fault, times: 1_000 });
    await world.mine(1);
    await scenario.until('it is noticed', () => wallet.told.snapshot.chain.kind === 'unreachable');
    expect(wallet.told.snapshot.chain.problem?.code).toMatch(/^ChainSource/);
    await scenario.payTo(world.alice, 1_000n);
    expect(wallet.told.snapshot.onchain).toEqual(onchain);
    world.esplora.faults.clear();
    await scenario.until('it is synced', () => wallet.told.snapshot.chain.kind === 'synced');
    await scenario.until('the block', () => wallet.told.snapshot.chain.blockHeight === world.chain.height);
    expect(wallet.told.snapshot.onchain).toEqual(onchain);
  });

  it('that is away at the start leaves balances and channel to be seen, and peers wait for it', async () => {
    const { onchain, channels } = wallet.told.snapshot;
    world.esplora.faults.add({ kind: 'drop', times: 1_000 });
    await wallet.restart();
    await scenario.until('it is noticed', () => wallet.told.snapshot.chain.kind === 'unreachable');
    expect(wallet.told.snapshot.onchain).toEqual(onchain);
    expect(wallet.told.snapshot.channels[0]?.balanceMsat).toBe(channels[0]?.balanceMsat);
    expect(wallet.told.snapshot.peers).toMatchObject([{ state: 'disconnected' }]);
    world.esplora.faults.clear();
    await scenario.connected();
    await scenario.receiveFrom(world.alice, 5_000n);
  });
});

describe('a proxy', () => {
  it.each(['silent', 'refuse'] as const)('that is %s is named, and the channel comes back', async (kind) => {
    world.proxy.fault = { kind };
    world.proxy.drop();
    await scenario.until('the peer is gone', () => wallet.told.snapshot.peers[0]?.state !== 'connected');
    await wallet.api.wake();
    await scenario.until('it is tried', () => kind === 'refuse' || world.proxy.connections > 0);
    expect(scenario.channel).toMatchObject({ state: 'ready', usable: false });
    world.proxy.fault = { kind: 'none' };
    world.proxy.drop();
    await scenario.connected();
    await scenario.payTo(world.alice, 2_000n);
  });
});

/** With one character of the data part changed. */
function flipped(invoice: string): string {
  const at = invoice.length - 60;
  return invoice.slice(0, at) + (invoice[at] === 'q' ? 'p' : 'q') + invoice.slice(at + 1);
}
