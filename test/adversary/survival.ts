import { expect } from 'vitest';
import { equalBytes, toHex } from '../../worker/engine/primitives/bytes.ts';
import { checkHolderSignatures } from '../../worker/engine/channel/commitment-signatures.ts';
import type { ClosedChannel } from '../../worker/engine/channel/channel-state.ts';
import type { ChannelEntry } from '../../worker/engine/manager/channel-entry.ts';
import type { ChannelMonitor } from '../../worker/engine/monitor/channel-monitor.ts';
import { claimKeys } from '../../worker/engine/monitor/claims/claim-keys.ts';
import { holderCommitment } from '../../worker/engine/monitor/holder-commitment.ts';
import type { ChannelParameters } from '../../worker/engine/transactions/channel-parameters.ts';
import { transactionId, type Transaction } from '../../worker/engine/transactions/transaction.ts';
import { fakeSecp256k1 } from '../simulation/fake-secp256k1.ts';
import { outcomeOf, type Arena } from './arena.ts';
import type { Camp } from './camp.ts';

/** What the victim made of an attack on its newest channel with the attacker. */
export type Verdict =
  /** The channel is open and the connection stands. */
  | 'open'
  /** A warning and the end of the connection; the channel is as it was. */
  | 'warned'
  /** An error about something that is not a channel, or not any more. */
  | 'refused'
  /** An error, and our newest commitment is out. */
  | 'failed'
  /** Proven old: never broadcast. */
  | 'stale'
  /** Closed by agreement. */
  | 'closed'
  /** Forgotten: it never had a funding. */
  | 'gone';

export function verdictOf({ victim, attacker, said, hungUp }: Arena): Verdict {
  const entry = victim.channelsWith(attacker).at(-1);
  if (entry?.state.kind === 'closed') return verdictOfClosed(entry.state);
  if (said.includes('error')) return 'refused';
  if (entry === undefined) return 'gone';
  return hungUp.length > 0 && said.includes('warning') ? 'warned' : 'open';
}

function verdictOfClosed({ reason }: ClosedChannel): Verdict {
  if (reason.kind === 'stale') return 'stale';
  return reason.kind === 'cooperative' ? 'closed' : 'failed';
}

/** The most that the victim's last signed states let it claim in its channels with the attacker, in msat. */
export const claimableMsat = ({ victim, attacker }: Arena): bigint =>
  victim.channelsWith(attacker).reduce((sum, { key }) => sum + ofMonitor(victim.view.monitors.get(key)), 0n);

/**
 * What has to hold after every attack: no exception, no freeze; the victim has lost nothing that a signed state gave it;
 * payments over its other channel work, also after a restart; the money in every channel with the attacker can leave.
 */
export async function expectSurvival(world: Arena, dueMsat: bigint): Promise<void> {
  const { victim } = world;
  expect(victim.faults).toEqual([]);
  await expectOthersLive(world);
  world.restartVictim();
  await world.pump();
  await expectOthersLive(world);
  expect(claimableMsat(world)).toBeGreaterThanOrEqual(dueMsat);
  for (const { key } of victim.channelsWith(world.attacker)) await expectExit(world, key);
  expect(victim.faults).toEqual([]);
}

/** A payment in either direction over the channel with the honest peer. */
export async function expectOthersLive(world: Arena): Promise<void> {
  const { victim, honest } = world;
  world.connect(honest);
  await world.pump();
  for (const [from, to] of [
    [honest, victim],
    [victim, honest],
  ] as const)
    expect(outcomeOf(from, await world.pay(from, to, 10_000n))).toBe('succeeded');
}

/** The money of a channel leaves, or a proof says that our state is old. */
export async function expectExit(world: Arena, key: string): Promise<void> {
  const { victim } = world;
  if (entryOf(victim, key)?.state.kind === 'open') closeAlone(victim, key);
  await world.pump();
  const entry = entryOf(victim, key);
  const monitor = victim.view.monitors.get(key);
  if (entry?.state.kind !== 'closed' || monitor === undefined) throw new Error('the channel did not close');
  const spend = spendOf(victim, monitor.params);
  if (entry.state.reason.kind === 'stale') return expect(spend).toBeUndefined();
  if (spend === undefined) throw new Error('nothing that spends the funding was broadcast');
  if (entry.state.reason.kind === 'cooperative') return;
  const { holderCommitment: newest, params } = monitor;
  const { commitment } = holderCommitment(claimKeys(fakeSecp256k1, entry.signer), monitor);
  expect(toHex(transactionId(spend))).toBe(toHex(transactionId(commitment.tx)));
  const version = { ...newest, perCommitmentPoint: entry.signer.perCommitmentPoint(newest.number) };
  expect(checkHolderSignatures({ secp: fakeSecp256k1, signer: entry.signer }, params, version, newest)).toBeUndefined();
}

/** A person who closes alone, whatever has been confirmed by `channel_reestablish`. */
export const closeAlone = (camp: Camp, key: string): void =>
  camp.attempt((node) => node.turn(() => node.manager.forceCloseChannel(key, { unconfirmedState: true })));

/** The newest broadcast that spends a channel's funding. */
export const spendOf = (
  { broadcasts }: Camp,
  { fundingTxid, fundingOutputIndex }: Pick<ChannelParameters, 'fundingTxid' | 'fundingOutputIndex'>,
): Transaction | undefined =>
  broadcasts.findLast(({ inputs }) =>
    inputs.some(({ txid, vout }) => vout === fundingOutputIndex && equalBytes(txid, fundingTxid)),
  );

/** The channel goes on: after a new connection a payment over it works in both directions. */
export async function expectChannelWorks(world: Arena): Promise<void> {
  const { victim, attacker } = world;
  world.silenced = false;
  world.tamper = (message) => [message];
  await world.reconnect();
  for (const [from, to] of [
    [attacker, victim],
    [victim, attacker],
  ] as const)
    expect(outcomeOf(from, await world.pay(from, to, 20_000n))).toBe('succeeded');
}

const entryOf = ({ node }: Camp, key: string): ChannelEntry | undefined =>
  node.manager.channels().find((entry) => entry.key === key);

function ofMonitor(monitor: ChannelMonitor | undefined): bigint {
  if (monitor === undefined) return 0n;
  const { spec } = monitor.holderCommitment;
  return spec.htlcs.reduce(
    (sum, { direction, amountMsat, paymentHash }) =>
      direction === 'outbound' || monitor.preimages.has(toHex(paymentHash)) ? sum + amountMsat : sum,
    spec.toHolderMsat as bigint,
  );
}
