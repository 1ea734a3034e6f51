import { go } from './route.ts';
import type { WalletView } from './wallet-context.ts';
import { command, type World } from './world.ts';

const COINS_SAT = 1_000_000;
const CHANNEL_SAT = 500_000;
const PAYMENT_MSAT = 10_000_000;

export interface WorldCommand {
  readonly name: string;
  /** Answers what has happened, for the person. */
  readonly run: (world: World, view: WalletView) => Promise<string>;
}

/** What the regtest world does for the wallet in it; `alice` is its peer. */
export const WORLD_COMMANDS: readonly WorldCommand[] = [
  { name: 'Give me coins', run: giveCoins },
  { name: 'Open a channel to me', run: openChannelToMe },
  { name: 'Mine 1 block', run: (world, view) => mine(world, view, 1) },
  { name: 'Mine 6 blocks', run: (world, view) => mine(world, view, 6) },
  { name: 'Make an invoice', run: makeInvoice },
  { name: 'Pay me', run: payMe },
];

async function giveCoins(world: World, { wallet }: WalletView): Promise<string> {
  const { address } = await wallet.newAddress({ type: 'p2wpkh' });
  await command(world, '/fund', { address, sats: COINS_SAT });
  await wallet.wake();
  return 'One million sat sent to you, in a block.';
}

async function openChannelToMe(world: World, { snapshot }: WalletView): Promise<string> {
  await command(world, '/nodes/alice/open', { nodeId: snapshot.nodeId, sats: CHANNEL_SAT });
  return 'Alice is opening a channel to you. Mine 6 blocks to confirm it.';
}

async function mine(world: World, { wallet }: WalletView, blocks: number): Promise<string> {
  const { height } = await command(world, '/mine', { blocks });
  await wallet.wake();
  return `The chain is at block ${String(height)}.`;
}

async function makeInvoice(world: World): Promise<string> {
  const fields = { msat: PAYMENT_MSAT, description: 'Regtest coffee' };
  const { bolt11 } = await command(world, '/nodes/alice/invoice', fields);
  go(`send/${String(bolt11)}`);
  return 'Alice made an invoice.';
}

async function payMe(world: World, { wallet }: WalletView): Promise<string> {
  const request = { amountMsat: BigInt(PAYMENT_MSAT), description: 'From alice' };
  const { invoice } = await wallet.createInvoice(request);
  await command(world, '/nodes/alice/pay', { bolt11: invoice });
  return 'Alice is paying you.';
}
