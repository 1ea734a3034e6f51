import { describe, expect, it } from 'vitest';
import type { InboundPayments } from '../../../worker/engine/manager/inbound-payments.ts';
import { MemoryDisk } from '../../simulation/memory-store.ts';
import type { Side } from '../../simulation/side.ts';
import { startOf } from '../../simulation/starts.ts';
import { World } from '../../simulation/world.ts';

const AMOUNT = 1_000_000n;

type Damage = 'deleted' | 'truncated';

/** A payment is under way, its payee has not decided, and a restart of the payer finds nothing that can be read of its record. */
async function forgotten(damage: Damage) {
  const world = new World(await startOf('wide', 'fake'));
  await world.settle();
  world.connect();
  await world.pump();
  world.a.node.acknowledgeAll();
  const { node } = world.b;
  const held: Parameters<InboundPayments['accepted']>[] = [];
  node.manager.inboundPayments.accepted = (...accepted) => void held.push(accepted);
  world.pay(world.a, AMOUNT);
  await world.pump();
  const [invoice] = node.manager.inboundPayments.all();
  // Past the simulation's own look at what is written, which reads every record.
  for (const [key, bytes] of world.a.disk.durable)
    if (/^pay\/[^/]*$/.test(key))
      MemoryDisk.prototype.apply.call(
        world.a.disk,
        new Map([[key, damage === 'deleted' ? undefined : bytes.slice(0, 9)]]),
      );
  world.crash(world.a, false);
  world.connect();
  await world.pump();
  const decide = async (expiresAt?: number): Promise<void> => {
    Reflect.deleteProperty(node.manager.inboundPayments, 'accepted');
    node.turn(() => {
      if (invoice !== undefined && expiresAt !== undefined) node.manager.addInvoice({ ...invoice, expiresAt });
      for (const [key, htlc] of held) node.manager.inboundPayments.accepted(key, htlc, node.manager.blockHeight);
    });
    await world.pump();
  };
  return { world, decide, invoiceText: invoice?.invoiceText ?? '' };
}

const outcome = ({ node }: Side): readonly unknown[] =>
  node.manager.outboundPayments.all().map(({ amountMsat, state }) => [amountMsat, state.kind]);

const told = ({ node }: Side): readonly string[] => node.manager.pendingEvents().map(({ kind }) => kind);

describe.each(['deleted', 'truncated'] as const)('a payment under way whose record is %s', (damage) => {
  it('is put back from its channel, and sent once the preimage comes', async () => {
    const { world, decide } = await forgotten(damage);
    expect(outcome(world.a)).toEqual([[AMOUNT, 'pending']]);
    await decide();
    expect([outcome(world.a), told(world.a)]).toEqual([[[AMOUNT, 'succeeded']], ['paymentSent']]);
  });

  it('is put back from its channel, and never tried again where it comes back', async () => {
    const { world, decide } = await forgotten(damage);
    await decide(0);
    expect([outcome(world.a), told(world.a)]).toEqual([[[AMOUNT, 'failed']], ['paymentFailed']]);
  });

  it('is not paid twice', async () => {
    const { world, decide, invoiceText } = await forgotten(damage);
    const again = (): unknown => world.a.node.pay(invoiceText);
    expect(again).toThrow(expect.objectContaining({ code: 'PaymentPending' }));
    await decide();
    expect(again).toThrow(expect.objectContaining({ code: 'PaymentAlreadySent' }));
  });

  it('is put back once, however often the wallet starts', async () => {
    const { world, decide } = await forgotten(damage);
    for (let start = 0; start < 3; start++) {
      world.crash(world.a, false);
      world.connect();
      await world.pump();
    }
    await decide();
    expect([outcome(world.a), told(world.a)]).toEqual([[[AMOUNT, 'succeeded']], ['paymentSent']]);
  });
});
