import { perCommitmentSecret } from '../../../worker/engine/keys/shachain.ts';
import { applyUpdate, newMonitor, type ChannelMonitor } from '../../../worker/engine/monitor/channel-monitor.ts';
import { MonitorPersister } from '../../../worker/engine/monitor/monitor-persister.ts';
import type { MonitorStep } from '../../../worker/engine/monitor/monitor-update.ts';
import { sha256 } from '../../../worker/engine/primitives/hash.ts';
import { feeratePerKw, msat, sat } from '../../../worker/engine/primitives/units.ts';
import type { ChannelHtlc, HtlcDirection } from '../../../worker/engine/transactions/channel-htlc.ts';
import type { ChannelParameters, PartyTerms } from '../../../worker/engine/transactions/channel-parameters.ts';
import type { CommitmentSpec } from '../../../worker/engine/transactions/commitment-spec.ts';

export const key = (fill: number): Uint8Array => Uint8Array.of(2, ...new Uint8Array(32).fill(fill));
const terms = (fill: number): PartyTerms => ({
  fundingPubkey: key(fill),
  revocationBasepoint: key(fill + 1),
  paymentBasepoint: key(fill + 2),
  delayedPaymentBasepoint: key(fill + 3),
  htlcBasepoint: key(fill + 4),
  dustLimitSat: sat(354n),
  maxHtlcValueInFlightMsat: 1_000_000_000n,
  channelReserveSat: sat(1000n),
  htlcMinimumMsat: 1n,
  toSelfDelay: 144,
  maxAcceptedHtlcs: 483,
  upfrontShutdownScript: new Uint8Array(0),
});
export const PARAMS: ChannelParameters = {
  channelId: new Uint8Array(32).fill(7),
  counterpartyNodeId: key(99),
  channelKeysIndex: 3,
  commitmentSalt: new Uint8Array(0),
  isOpener: true,
  format: 'anchors',
  channelType: Uint8Array.of(0x40, 0x10, 0),
  fundingSat: sat(1_000_000n),
  fundingTxid: new Uint8Array(32).fill(7),
  fundingOutputIndex: 1,
  holder: terms(10),
  counterparty: terms(20),
  minimumDepth: 3,
};
export const PREIMAGE = new Uint8Array(32).fill(4);
export const SEED = new Uint8Array(32).fill(1);

export const htlc = (id: bigint, direction: HtlcDirection = 'inbound'): ChannelHtlc => ({
  direction,
  id,
  amountMsat: msat(5_000_000n),
  paymentHash: sha256(PREIMAGE),
  cltvExpiry: 500,
  onion: new Uint8Array(0),
});
export const spec = (htlcs: readonly ChannelHtlc[] = []): CommitmentSpec => ({
  feeratePerKw: feeratePerKw(1000),
  toHolderMsat: msat(900_000_000n),
  toCounterpartyMsat: msat(100_000_000n - 5_000_000n * BigInt(htlcs.length)),
  htlcs,
});
export const signature = new Uint8Array(64).fill(8);
export const ours = (number: number, htlcs: readonly ChannelHtlc[] = []): MonitorStep => ({
  kind: 'latestHolderCommitment',
  number,
  spec: spec(htlcs),
  signature,
  htlcSignatures: htlcs.map(() => signature),
});
export const theirs = (number: number, htlcs: readonly ChannelHtlc[] = []): MonitorStep => ({
  kind: 'latestCounterpartyCommitment',
  number,
  spec: spec(htlcs),
  perCommitmentPoint: key(number + 30),
});
export const revoked = (number: number): MonitorStep => ({
  kind: 'commitmentSecret',
  number,
  secret: perCommitmentSecret(SEED, number),
});
export const preimage: MonitorStep = { kind: 'paymentPreimage', preimage: PREIMAGE };

/** A monitor beside its persister, and what the persister has written. */
export class Kept {
  readonly records = new Map<string, Uint8Array>();
  readonly #writes = new Map<string, Uint8Array | undefined>();
  readonly #persister = new MonitorPersister(
    () => this.#writes,
    () => undefined,
  );
  monitor: ChannelMonitor;

  constructor(params: ChannelParameters = PARAMS) {
    this.monitor = newMonitor(params, [theirs(0), ours(0)]);
    this.#persister.persistNewChannel('k', this.monitor);
    this.#flush();
  }

  update(...steps: MonitorStep[]): void {
    const update = { updateId: this.monitor.updateId + 1, steps };
    const before = this.monitor;
    const applied = applyUpdate(before, update);
    this.monitor = applied.monitor;
    this.#persister.updatePersistedChannel('k', { update, before, ...applied });
    this.#flush();
  }

  archive(): void {
    this.#persister.archivePersistedChannel('k', this.monitor);
    this.#flush();
  }

  loaded(): ChannelMonitor | undefined {
    return new MonitorPersister(
      () => new Map(),
      () => undefined,
    ).load('k', this.monitor.params, this.records);
  }

  #flush(): void {
    for (const [name, value] of this.#writes) {
      if (value === undefined) this.records.delete(name);
      else this.records.set(name, value);
    }
    this.#writes.clear();
  }
}
