import { expect, it } from 'vitest';
import { concat, fromHex, toHex } from '../../worker/engine/primitives/bytes.ts';
import type { Arena } from './arena.ts';
import { arena } from './arena-start.ts';
import { addFor, dance, rawOnion } from './forge.ts';
import { expectSurvival, verdictOf } from './survival.ts';

const AMOUNT_MSAT = 1_000_000n;
const HMAC = new Uint8Array(32);

/** A payload of records, with its length and no hop behind it. */
const payload = (...records: readonly string[]): Uint8Array => {
  const bytes = fromHex(records.join(''));
  return concat(Uint8Array.of(bytes.length), bytes, HMAC);
};

const AMOUNT = '02030f4240';
const EXPIRY = '04020100';
/** `payment_data` with the secret of the invoice, which is put in where it is used. */
const SECRET = `0823${'5e'.repeat(32)}0f4240`;

/** What the victim finds when it has decrypted its layer of an authentic onion. */
const contents: readonly [string, Uint8Array][] = [
  ['S38: a length of 4 GB', fromHex('feffffffff')],
  ['S38: a length of 2^64 - 1', fromHex('ffffffffffffffffff')],
  ['S38: a record of 4 GB', payload(AMOUNT, '0bfeffffffff')],
  ['S38: a record of 2^64 - 1 bytes', payload(AMOUNT, '0bffffffffffffffffff')],
  ['a length of all that there is', fromHex('fd0514')],
  ['a length of one byte more than there is', fromHex('fd0512')],
  ['a length that is not the shortest form', fromHex('fd0010')],
  ['a length of 0', fromHex('00')],
  ['a length of 1', fromHex('01')],
  ['zeros', new Uint8Array(100)],
  ['ones', new Uint8Array(1_300).fill(0xff)],
  ['no amount', payload(EXPIRY, SECRET)],
  ['no expiry', payload(AMOUNT, SECRET)],
  ['no payment_data', payload(AMOUNT, EXPIRY)],
  ['an unknown even record', payload(AMOUNT, EXPIRY, SECRET, '0c00')],
  ['records out of order', payload(EXPIRY, AMOUNT, SECRET)],
  ['a record twice', payload(AMOUNT, AMOUNT, EXPIRY, SECRET)],
  ['an amount of nine bytes', payload('0209ffffffffffffffffff', EXPIRY, SECRET)],
  ['an amount with leading zeros', payload('02030000ff', EXPIRY, SECRET)],
  ['an amount of 2^64 - 1', payload('0208ffffffffffffffff', EXPIRY, SECRET)],
  ['an expiry of 2^32 - 1', payload(AMOUNT, '0404ffffffff', SECRET)],
  ['a total of 2^64 - 1', payload(AMOUNT, EXPIRY, `0828${'5e'.repeat(32)}ffffffffffffffff`)],
  ['a payment secret of 31 bytes', payload(AMOUNT, EXPIRY, `081f${'00'.repeat(31)}`)],
  ['a next channel', payload(AMOUNT, EXPIRY, '06080000000000000001')],
  ['encrypted data without a path key', payload('0a20' + '11'.repeat(32))],
  ['a path key without encrypted data', payload(AMOUNT, EXPIRY, `0c21${'02'.repeat(33)}`)],
  ['a preimage of a payment that nobody asked for', payload(AMOUNT, EXPIRY, `fe0146c6bc20${'00'.repeat(32)}`)],
  ['an unknown odd record of 1,200 bytes', concat(fromHex('fd04b4'), fromHex('0bfd04b0'), new Uint8Array(66))],
];

/** Puts the payment secret of the victim's newest invoice where the placeholder stands. */
function withSecret({ victim }: Arena, content: Uint8Array): Uint8Array {
  const secret = victim.node.manager.inboundPayments.all().at(-1)?.paymentSecret ?? new Uint8Array(32);
  return fromHex(toHex(content).replace('5e'.repeat(32), toHex(secret)));
}

async function receive(world: Arena, content: Uint8Array): Promise<void> {
  world.silenced = true;
  const add = addFor(world, world.victim.node.invoice(AMOUNT_MSAT));
  await world.say({ ...add, onionRoutingPacket: rawOnion(world, add.paymentHash, withSecret(world, content)) });
  await dance(world);
}

it.each(contents)('an onion with %s is failed, and the channel goes on', async (_name, content) => {
  const world = await arena('fundee');
  await receive(world, content);
  expect(verdictOf(world)).toBe('open');
  expect(world.said.filter((kind) => kind.startsWith('update_'))).toHaveLength(1);
  expect(world.said).not.toContain('update_fulfill_htlc');
  await expectSurvival(world, 400_000_000n);
});

it('an onion that is right is fulfilled: what fails the others is what is wrong with them', async () => {
  const world = await arena('fundee');
  await receive(world, payload(AMOUNT, EXPIRY, SECRET));
  expect(world.said).toContain('update_fulfill_htlc');
  await expectSurvival(world, 400_000_000n + AMOUNT_MSAT);
});
