import type { ChannelSummary, WalletConfig } from '../../worker/client/api.ts';
import type { LdkNode } from '../world/ldk-node.ts';
import type { World } from '../world/world.ts';
import type { DrivenWallet } from './driven-wallet.ts';
import { Scenario } from './scenario.ts';

export const FORWARDING: NonNullable<WalletConfig['forwarding']> = {
  feeBaseMsat: 1_000,
  feeProportionalMillionths: 1_000,
  cltvExpiryDelta: 72,
};

export const feeOf = (msat: bigint): bigint => 1_000n + msat / 1_000n;

/** One per cent of each channel, of which LDK shows nothing. */
const RESERVE_MSAT = 50_000_000n;

/** A wallet between alice and bob, who have no channel with each other. */
export class Between {
  readonly world: World;
  readonly wallet: DrivenWallet;
  readonly scenario: Scenario;

  constructor(world: World, wallet: DrivenWallet) {
    this.world = world;
    this.wallet = wallet;
    this.scenario = new Scenario(world, wallet);
  }

  /** Opens a channel with each, half of which is theirs. */
  async start(): Promise<void> {
    const { world, wallet, scenario } = this;
    await scenario.start();
    await scenario.openChannel(5_000_000n, 2_500_000_000n);
    const address = { ...scenario.proxied(), port: world.ports.bobTcp };
    await wallet.api.connectPeer({ nodeId: world.bob.id, address });
    await scenario.until('bob is connected', () =>
      wallet.told.snapshot.peers.some(({ nodeId, state }) => nodeId === world.bob.id && state === 'connected'),
    );
    await wallet.api.openChannel({ nodeId: world.bob.id, amountSat: 5_000_000n, pushMsat: 2_500_000_000n });
    await scenario.until('the funding is out', () => world.chain.mempoolTxs().length > 0);
    await scenario.mine(6);
    await this.usable();
  }

  channelWith({ id }: LdkNode): ChannelSummary {
    const found = this.scenario.channels.find(({ peerNodeId }) => peerNodeId === id);
    if (found === undefined) throw new Error('there is a channel');
    return found;
  }

  async usable(): Promise<void> {
    await this.wallet.api.wake();
    for (const node of this.#nodes)
      await this.scenario.until(
        'usable',
        () => this.channelWith(node).usable && node.channels().every((channel) => channel.usable),
      );
  }

  /** Waits until nothing is under way and all agree to the millisatoshi; gives what is ours with each. */
  async agreed(): Promise<readonly bigint[]> {
    await this.scenario.until('all is quiet', () => this.#nodes.every((node) => this.#agreesWith(node)));
    return this.#nodes.map((node) => this.channelWith(node).balanceMsat);
  }

  /** Waits until each payment has ended, from a place in the payer's events on; gives how, in the order in which they did. */
  async ended(payer: LdkNode, since: number, payments: readonly string[]): Promise<readonly string[]> {
    const ends = (): readonly string[] =>
      payer.events(since).flatMap((event) => {
        if (event.kind !== 'PaymentSent' && event.kind !== 'PaymentFailed') return [];
        return payments.includes('hash' in event ? event.hash : event.paymentId) ? [event.kind] : [];
      });
    await this.scenario.until('the payments end', () => ends().length >= payments.length, 60_000);
    return ends();
  }

  get #nodes(): readonly LdkNode[] {
    return [this.world.alice, this.world.bob];
  }

  #agreesWith(node: LdkNode): boolean {
    const [theirs] = node.channels();
    if (theirs === undefined) return false;
    const { balanceMsat, pendingHtlcs } = this.channelWith(node);
    const isQuiet = theirs.pendingInbound + theirs.pendingOutbound + pendingHtlcs === 0;
    return isQuiet && BigInt(theirs.inboundMsat) + RESERVE_MSAT === balanceMsat;
  }
}
