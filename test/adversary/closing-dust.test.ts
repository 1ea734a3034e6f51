import { expect, it } from 'vitest';
import { sat } from '../../worker/engine/primitives/units.ts';
import type { Arena } from './arena.ts';
import { arena } from './arena-start.ts';
import { openChannelOf } from './forge.ts';
import { closingSigned, shutdown } from './forge-closing.ts';
import { fundWith, RogueOpener, transactionOf } from './rogue-opener.ts';
import { expectOthersLive, spendOf, verdictOf, type Verdict } from './survival.ts';

const P2PKH = Uint8Array.of(0x76, 0xa9, 20, ...new Uint8Array(20).fill(9), 0x88, 0xac);

/** A channel of the attacker's, which both sides want to close. */
async function closing(terms: { pushMsat: bigint; dustLimitSat: bigint; script?: Uint8Array }): Promise<Arena> {
  const world = await arena('stranger');
  const { pushMsat, script } = terms;
  const rogue = new RogueOpener(world, {
    pushMsat,
    dustLimitSat: sat(terms.dustLimitSat),
    ...(script === undefined ? {} : { shutdownScript: script }),
  });
  await fundWith(world, rogue, () => transactionOf([rogue.output]));
  const { key } = world.channel;
  world.victim.attempt((node) => node.turn(() => node.manager.closeChannel(key)));
  await world.pump();
  await world.say(shutdown(world, openChannelOf(world).params.counterparty.upfrontShutdownScript));
  return world;
}

const amountsOf = ({ victim, channel }: Arena): readonly bigint[] => {
  const { params } = 'params' in channel.state ? channel.state : { params: undefined };
  const spend = params && spendOf(victim, params);
  return (spend?.outputs ?? []).map(({ amountSat }) => amountSat).toSorted((a, b) => Number(a - b));
};

const variants: readonly [string, bigint, 'both' | 'without ours', Verdict, readonly bigint[]][] = [
  ['above both dust limits with both outputs', 354n, 'both', 'closed', [450n, 98_850n]],
  ['below the signer’s dust limit without it', 546n, 'without ours', 'closed', [98_850n]],
  ['below the signer’s dust limit with it', 546n, 'both', 'closed', [450n, 98_850n]],
  ['above the signer’s dust limit without it', 354n, 'without ours', 'warned', []],
];

it.each(variants)('an output of ours of 450 sat %s', async (_name, dustLimitSat, variant, verdict, amounts) => {
  const world = await closing({ pushMsat: 450_000n, dustLimitSat });
  await world.say(closingSigned(world, 700n, [500n, 1_000n], variant));
  expect(verdictOf(world)).toBe(verdict);
  expect(amountsOf(world)).toEqual(amounts);
  await expectOthersLive(world);
  expect(world.victim.faults).toEqual([]);
});

it('an output of the attacker’s that nobody relays, to p2pkh, ends the channel by force', async () => {
  const world = await closing({ pushMsat: 97_000_000n, dustLimitSat: 354n, script: P2PKH });
  await world.say(closingSigned(world, 2_550n, [2_000n, 3_000n]));
  expect(verdictOf(world)).toBe('failed');
  await expectOthersLive(world);
});
