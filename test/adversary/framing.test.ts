import { describe, expect, it } from 'vitest';
import { HANDSHAKE_TIMEOUT_MS, PING_INTERVAL_MS, PONG_TIMEOUT_MS } from '../../worker/client/peers/peer-session.ts';
import { isUnusedGossip } from '../../worker/client/peers/gossip.ts';
import { nobleSecp256k1 as secp } from '../../worker/engine/primitives/secp256k1.ts';
import { concat, toHex } from '../../worker/engine/primitives/bytes.ts';
import { encodeMessage, messageDefinitions, type Message, type MessageKind } from '../../worker/engine/wire/message.ts';
import { peerAddress, type FakeConnection } from '../client/peers/fake-peer.ts';
import { channelReady, connected, ping, pong, start, stfu, zeroes } from '../client/peers/fixtures.ts';
import { pseudoRandomBytes } from '../engine/wire/arbitrary.ts';

const honestSecret = new Uint8Array(32).fill(3);

/** An attacker is connected, and behind it an honest peer; both are greeted. */
function attacked() {
  const all = connected();
  const attacker = all.transport.latest;
  all.transport.secret = honestSecret;
  all.peers.add({ nodeId: toHex(secp.publicKey(honestSecret)), address: peerAddress });
  all.transport.latest.greet();
  all.transport.latest.read();
  const honest = all.transport.latest;
  all.heard.length = 0;
  return { ...all, attacker, honest };
}

/** The honest peer is still there, and is heard. */
function expectHonestHeard({
  honest,
  heard,
}: {
  readonly honest: FakeConnection;
  readonly heard: readonly string[];
}): void {
  honest.say(stfu);
  expect(honest.isClosed).toBe(false);
  expect(heard.at(-1)).toBe('stfu 2');
}

const typeBytes = (type: number): Uint8Array => Uint8Array.of(type >> 8, type & 0xff);

/** What the wallet listens to, cut down to its type. */
const cutDown = (Object.keys(messageDefinitions) as MessageKind[])
  .map((kind) => [kind, typeBytes(messageDefinitions[kind].type)] as const)
  .filter(([, bytes]) => !isUnusedGossip(bytes));

const tlv = (bytes: readonly number[]): Uint8Array => concat(encodeMessage(stfu), Uint8Array.from(bytes));

const malformed: readonly (readonly [string, Uint8Array])[] = [
  ['nothing', zeroes(0)],
  ['one byte', zeroes(1)],
  ['65,535 zeros', zeroes(65_535)],
  ['an unknown even type', typeBytes(0x8000)],
  ['the highest even type', typeBytes(0xfffe)],
  ['an unknown even record', tlv([2, 0])],
  ['a record that is longer than the message', tlv([1, 200])],
  ['records out of order', tlv([5, 0, 3, 0])],
  ['a record twice', tlv([3, 0, 3, 0])],
  ['a record type that is not the shortest form', tlv([0xfd, 0, 3, 0])],
  ['a record of 2^64 - 1 bytes', tlv([3, ...Array.from({ length: 9 }, () => 0xff)])],
  ['a record type cut short', tlv([0xff, 1, 2])],
  ['a length that is missing', tlv([3])],
  ['a point of another prefix', encodeMessage(channelReady).map((byte, at) => (at === 34 ? 4 : byte))],
];

describe('a message', () => {
  it.each([...malformed, ...cutDown.map(([kind, bytes]) => [`a ${kind} without its fields`, bytes] as const)])(
    'that is %s is warned of, and costs the honest peer nothing',
    (_name, bytes) => {
      const all = attacked();
      all.attacker.saySealed(bytes);
      expect(all.attacker.isClosed).toBe(true);
      expect(all.heard).toEqual(['disconnected 1']);
      expectHonestHeard(all);
    },
  );

  it.each<[string, Uint8Array]>([
    ['an unknown odd type', typeBytes(0x8001)],
    ['an unknown odd type with 65,533 bytes', concat(typeBytes(0xffff), zeroes(65_533))],
    ['gossip that nobody reads', concat(typeBytes(256), zeroes(400))],
    ['gossip that is cut short', typeBytes(256)],
  ])('that is %s is ignored', (_name, bytes) => {
    const all = attacked();
    all.attacker.saySealed(...Array.from({ length: 200 }, () => bytes));
    expect(all.attacker.isClosed).toBe(false);
    expect(all.heard).toEqual([]);
    expectHonestHeard(all);
  });

  it('with an unknown odd record is heard', () => {
    const all = attacked();
    all.attacker.saySealed(tlv([3, 2, 9, 9]));
    expect(all.heard).toEqual(['stfu 1']);
  });

  it('in single bytes is heard when the last of them has come', () => {
    const all = attacked();
    const sealed: Uint8Array[] = [];
    const receive = all.attacker.receive.bind(all.attacker);
    all.attacker.receive = (bytes) => void sealed.push(bytes);
    all.attacker.say(stfu, stfu);
    for (const byte of concat(...sealed)) receive(Uint8Array.of(byte));
    expect(all.heard).toEqual(['stfu 1', 'stfu 1']);
  });

  it('behind one that ended the connection is not heard', () => {
    const all = attacked();
    all.attacker.saySealed(encodeMessage(stfu), typeBytes(0x8000), encodeMessage(stfu));
    expect(all.heard).toEqual(['stfu 1', 'disconnected 1']);
    expectHonestHeard(all);
  });
});

describe('bytes', () => {
  it.each<[string, Uint8Array]>([
    ['18 zeros', zeroes(18)],
    ['a chunk of noise', pseudoRandomBytes(7, 5_000)],
    ['100,000 bytes of noise', pseudoRandomBytes(8, 100_000)],
  ])('that are not from the session (%s) end it', (_name, bytes) => {
    const all = attacked();
    all.attacker.receive(bytes);
    expect(all.attacker.isClosed).toBe(true);
    expectHonestHeard(all);
  });

  it.each<[string, Uint8Array]>([
    ['zeros', zeroes(50)],
    ['another version', Uint8Array.of(1, ...zeroes(49))],
    ['noise', pseudoRandomBytes(9, 50)],
    ['too much', pseudoRandomBytes(9, 500)],
  ])('that are no answer to the handshake (%s) end the attempt', (_name, bytes) => {
    const all = start();
    all.transport.latest.open();
    all.transport.latest.receive(bytes);
    expect(all.heard).toEqual([]);
    expect(all.peers.statuses()).toMatchObject([{ state: 'disconnected', problem: { code: 'PeerHandshakeFailed' } }]);
  });

  it('that never come end the attempt in time', () => {
    const all = start();
    all.transport.latest.open();
    all.timers.advance(HANDSHAKE_TIMEOUT_MS - 1);
    expect(all.peers.statuses()).toMatchObject([{ state: 'connecting' }]);
    all.timers.advance(1);
    expect(all.peers.statuses()).toMatchObject([{ state: 'disconnected', problem: { code: 'PeerUnreachable' } }]);
  });
});

describe('pings', () => {
  it('of which a thousand come at once are answered some times, and cost the honest peer nothing', () => {
    const all = attacked();
    all.attacker.say(...Array.from({ length: 1_000 }, (): Message => ping(60_000)));
    const pongs = all.attacker.read().filter(({ kind }) => kind === 'pong').length;
    expect(pongs).toBeGreaterThan(0);
    expect(pongs).toBeLessThan(200);
    expectHonestHeard(all);
  });

  it.each([65_532, 65_535])('for %d bytes are not answered', (bytes) => {
    const all = attacked();
    all.attacker.say(ping(bytes));
    expect(all.attacker.read()).toEqual([]);
  });

  it('are not needed for a pong to be ignored', () => {
    const all = attacked();
    all.attacker.say(pong, pong, { kind: 'pong', ignored: zeroes(60_000), tlvs: {} });
    expect(all.attacker.isClosed).toBe(false);
    expectHonestHeard(all);
  });

  it('have to be answered also by a peer that sends gossip all the time', () => {
    const all = attacked();
    const gossip = concat(typeBytes(256), zeroes(400));
    for (let elapsed = 0; elapsed < 2 * (PING_INTERVAL_MS + PONG_TIMEOUT_MS); elapsed += 1_000) {
      all.pass(1_000);
      all.honest.say(pong);
      if (!all.attacker.isClosed) all.attacker.saySealed(gossip);
    }
    expect(all.attacker.isClosed).toBe(true);
    expectHonestHeard(all);
  });
});
