import { describe, expect, it } from 'vitest';
import { fromHex, fromUtf8, toHex } from '../../worker/engine/primitives/bytes.ts';
import type { Message } from '../../worker/engine/wire/message.ts';
import { outcomeOf, type Arena } from './arena.ts';
import { arena } from './arena-start.ts';
import { addFor, commitmentSigned, reestablish } from './forge.ts';
import { filled, RogueOpener } from './rogue-opener.ts';
import {
  claimableMsat,
  expectChannelWorks,
  expectOthersLive,
  expectSurvival,
  verdictOf,
  type Verdict,
} from './survival.ts';

const ALL_CHANNELS = new Uint8Array(32);

const said = (kind: 'error' | 'warning', channelId: Uint8Array, data: Uint8Array | string): Message => ({
  kind,
  channelId,
  data: typeof data === 'string' ? fromUtf8(data) : data,
  tlvs: {},
});

/** Texts with which real nodes end a connection and keep the channel. */
const HARMLESS = ['internal error', 'link failed to shutdown'];

const data: readonly [string, Uint8Array | string][] = [
  ['nothing', ''],
  ['a sentence', 'bad signature'],
  ['zeros', new Uint8Array(100)],
  ['bytes that are no text', new Uint8Array(200).fill(0xfe)],
  ['control characters', '\u001b[2J\u0007\r\n'],
  ['a change of direction', '\u202e\u2066evil'],
  ['half a character', Uint8Array.of(0xe2, 0x82)],
  ['60,000 bytes', 'x'.repeat(60_000)],
];

describe('error', () => {
  it.each(data)('with %s about the channel closes it, and is shown in a sentence', async (_name, text) => {
    const world = await arena('fundee');
    const dueMsat = claimableMsat(world);
    await world.say(said('error', world.channelId, text));
    expect(verdictOf(world)).toBe('failed');
    const closed = world.victim.node.manager.pendingEvents().find(({ kind }) => kind === 'channelClosed');
    expect(closed?.message.length).toBeLessThan(1_000);
    expect(closed?.message).toMatch(/^[\x20-\x7e]*$/);
    await expectSurvival(world, dueMsat);
  });

  it('closes the channel, and after the delay our money is in the wallet', async () => {
    const world = await arena('fundee');
    const { spendableSat } = world.victim.node.wallet.balance(0n, 0);
    await world.say(said('error', world.channelId, 'go away'));
    world.mine();
    await world.pump();
    for (let round = 0; round < 3; round++) {
      world.skip(72);
      await world.pump();
    }
    world.mine();
    await world.pump();
    const swept = world.victim.node.wallet.balance(0n, 0).spendableSat - spendableSat;
    // Nobody tells what others pay: what the empty blocks left waiting pays more.
    expect(swept).toBeGreaterThan(398_000n);
    expect(swept).toBeLessThanOrEqual(400_000n);
    await expectOthersLive(world);
  });

  it.each(HARMLESS)('"%s" ends the connection, and the channel goes on', async (text) => {
    const world = await arena('fundee');
    const dueMsat = claimableMsat(world);
    await world.say(said('error', world.channelId, text));
    expect(world.channel.state.kind).toBe('open');
    await expectChannelWorks(world);
    await expectSurvival(world, dueMsat - 20_000n);
  });

  it.each(HARMLESS)('"%s" while an HTLC is under way costs neither', async (text) => {
    const world = await arena('fundee');
    world.silenced = true;
    await world.say(addFor(world, world.victim.node.invoice(2_000_000n)));
    await world.say(commitmentSigned(world));
    await world.say(said('error', world.channelId, text));
    expect(world.channel.state.kind).toBe('open');
    await expectSurvival(world, 400_000_000n);
  });

  it('about all channels closes every channel with its sender, and no other', async () => {
    const world = await arena('two');
    const dueMsat = claimableMsat(world);
    await world.say(said('error', ALL_CHANNELS, 'go away'));
    expect(world.victim.channelsWith(world.attacker).map(({ state }) => state.kind)).toEqual(['closed', 'closed']);
    await expectSurvival(world, dueMsat);
  });

  it.each<[string, (world: Arena) => Uint8Array]>([
    ['a channel that nobody has', () => filled('nobody')],
    ['a channel of another peer', ({ victim, honest }) => fromHex(victim.channelsWith(honest)[0]?.key ?? '')],
  ])('about %s closes nothing', async (_name, channelId) => {
    const world = await arena('fundee');
    const dueMsat = claimableMsat(world);
    await world.say(said('error', channelId(world), 'go away'));
    expect(verdictOf(world)).toBe('open');
    await expectChannelWorks(world);
    await expectSurvival(world, dueMsat - 20_000n);
  });

  it('before channel_reestablish broadcasts nothing: nobody has confirmed our state', async () => {
    const world = await arena('fundee');
    world.disconnect();
    world.silenced = true;
    await world.say(said('error', world.channelId, 'we have closed it'));
    expect(world.victim.broadcasts).toEqual([]);
    await expectOthersLive(world);
  });

  it('comes a thousand times, and changes nothing', async () => {
    const world = await arena('fundee');
    const dueMsat = claimableMsat(world);
    await world.say(...Array.from({ length: 1_000 }, (_, n) => said('error', filled(`channel ${n}`), 'go away')));
    expect(verdictOf(world)).toBe('open');
    await expectSurvival(world, dueMsat);
  });

  it.each(['accept_channel', 'funding_signed'] as const)(
    'instead of %s ends the attempt and frees our coins',
    async (kind) => {
      const world = await arena('stranger');
      const { spendableSat } = world.victim.node.wallet.balance(0n, 0);
      world.tamper = (message) => {
        if (message.kind !== kind) return [message];
        const id = 'temporaryChannelId' in message ? message.temporaryChannelId : ALL_CHANNELS;
        return [said('error', id, 'no')];
      };
      world.victim.node.open(world.attacker.node, 500_000n);
      await world.pump();
      expect(world.victim.channelsWith(world.attacker)).toHaveLength(0);
      expect(world.victim.node.wallet.balance(0n, 0).spendableSat).toBe(spendableSat);
      await expectSurvival(world, 0n);
    },
  );
});

describe('warning', () => {
  it.each(data)('with %s changes nothing', async (_name, text) => {
    const world = await arena('fundee');
    const dueMsat = claimableMsat(world);
    await world.say(said('warning', world.channelId, text));
    await world.say(said('warning', ALL_CHANNELS, text));
    expect(world.channel.state.kind).toBe('open');
    await expectChannelWorks(world);
    await expectSurvival(world, dueMsat - 20_000n);
  });
});

describe('a peer that has forgotten a channel', () => {
  it('which was never seen in the chain ends it without a broadcast, and the channel beside it works', async () => {
    const world = await arena('fundee');
    const healthy = world.channel.key;
    const rogue = new RogueOpener(world, { pushMsat: 5_000_000n });
    await rogue.open();
    await world.say(rogue.fundingCreated(filled('unseen'), 0));
    const sick = world.channelId;
    expect(toHex(sick)).not.toBe(healthy);
    world.disconnect();
    await world.say(said('error', sick, 'unknown channel'));
    world.disconnect();
    world.forget();
    world.silenced = false;
    world.connect();
    await world.pump();
    expect(reestablished(world)).toEqual([healthy]);
    expect(world.victim.broadcasts).toEqual([]);
    expect(world.victim.view.monitors.has(toHex(sick))).toBe(true);
    const hash = await world.pay(world.attacker, world.victim, 1_000_000n);
    expect(outcomeOf(world.attacker, hash)).toBe('succeeded');
    await expectOthersLive(world);
  });

  it('and hangs up for it each time does not cost the channel beside it', async () => {
    const world = await arena('two');
    const [sick, healthy] = world.victim.channelsWith(world.attacker).map(({ key }) => key);
    world.silenced = true;
    for (let round = 0; round < 12; round++) {
      world.disconnect();
      world.forget();
      world.connect();
      await world.pump();
      if (!reestablished(world).includes(sick ?? '')) break;
      await world.say(said('error', fromHex(sick ?? ''), 'unknown channel'));
    }
    expect(reestablished(world)).toEqual([healthy]);
    await world.say(reestablish(world));
    const hash = world.victim.node.pay(world.attacker.node.invoice(1_000_000n));
    await world.pump();
    expect(world.said).toContain('commitment_signed');
    expect(outcomeOf(world.victim, hash)).toBe('pending');
    await expectOthersLive(world);
  });
});

describe('a peer that only answers pings', () => {
  const silent: readonly [string, (world: Arena) => Promise<void>][] = [
    [
      'revoke_and_ack',
      async (world) => {
        world.silenced = true;
        await world.say(addFor(world, world.victim.node.invoice(1_000_000n)));
        await world.say(commitmentSigned(world));
      },
    ],
    [
      'closing_signed',
      async (world) => {
        world.tamper = (message) => (message.kind === 'closing_signed' ? [] : [message]);
        const { key } = world.channel;
        world.victim.attempt((node) => node.turn(() => node.manager.closeChannel(key)));
        await world.pump();
      },
    ],
    [
      'accept_channel',
      async (world) => {
        world.tamper = (message) => (message.kind === 'accept_channel' ? [] : [message]);
        world.victim.node.open(world.attacker.node, 500_000n);
        await world.pump();
      },
    ],
    [
      'funding_signed',
      async (world) => {
        world.tamper = (message) => (message.kind === 'funding_signed' ? [] : [message]);
        world.victim.node.open(world.attacker.node, 500_000n);
        await world.pump();
      },
    ],
  ];

  it.each(silent)('and never sends %s is left after some minutes', async (_name, act) => {
    const world = await arena('fundee');
    await act(world);
    for (let tick = 0; tick < 60 && world.hungUp.length === 0 && !world.said.includes('error'); tick++) {
      world.tick(10_000);
      await world.pump();
    }
    expect(world.hungUp.length + Number(world.said.includes('error'))).toBeGreaterThan(0);
    const verdict: Verdict = verdictOf(world);
    expect(verdict).not.toBe('failed');
    await expectSurvival(world, 400_000_000n);
  });
});

const reestablished = ({ heard }: Arena): readonly string[] =>
  heard.flatMap((message) => (message.kind === 'channel_reestablish' ? [toHex(message.channelId)] : []));
