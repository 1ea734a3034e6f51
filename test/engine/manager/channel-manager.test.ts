import { describe, expect, it, vi } from 'vitest';
import type { NodeSigner, SignerProvider } from '../../../worker/engine/keys/ports.ts';
import { startOf } from '../../simulation/starts.ts';
import { World } from '../../simulation/world.ts';

/** Keys whose channels cannot sign while `isBroken` says so. */
function breakable(keys: NodeSigner & SignerProvider, isBroken: () => boolean): NodeSigner & SignerProvider {
  const deriveChannelSigner: SignerProvider['deriveChannelSigner'] = (...terms) => {
    const signer = keys.deriveChannelSigner(...terms);
    const sign = signer.signCounterpartyCommitment.bind(signer);
    signer.signCounterpartyCommitment = (...parts) => {
      if (isBroken()) throw new TypeError('a mistake of ours');
      return sign(...parts);
    };
    return signer;
  };
  return new Proxy(keys, {
    get: (target, name) => {
      if (name === 'deriveChannelSigner') return deriveChannelSigner;
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

/** Two nodes with a channel, of which `a` signs only while it is told to. */
async function setUp() {
  const start = await startOf('wide', 'fake');
  let broken = false;
  const { a } = start.identities;
  const keys = breakable(a.keys, () => broken);
  const world = new World({ ...start, identities: { ...start.identities, a: { ...a, keys } } });
  await world.settle();
  world.connect();
  await world.pump();
  const sentByA = (): readonly string[] => world.a.node.manager.outboundPayments.all().map(({ state }) => state.kind);
  const isBroken = (value: boolean): void => void (broken = value);
  return { world, isBroken, sentByA };
}

describe('a mistake of ours while a channel signs', () => {
  it('freezes the channel, and what was decided before is durable and goes on after a restart', async () => {
    const { world, isBroken, sentByA } = await setUp();
    isBroken(true);
    world.pay(world.a, 1_000_000n);
    await world.pump();
    expect(world.a.node.manager.channels()[0]).toMatchObject({ frozen: 'a mistake of ours', state: { kind: 'open' } });
    expect(world.problems.splice(0).join()).toContain('is frozen: a mistake of ours');
    expect(sentByA()).toEqual(['pending']);
    expect(world.b.node.manager.channels()[0]?.state).toMatchObject({ kind: 'open' });

    isBroken(false);
    world.crash(world.a, false);
    expect(sentByA()).toEqual(['pending']);
    world.connect();
    await world.pump();
    expect(sentByA()).toEqual(['succeeded']);
    expect(world.problems).toEqual([]);
  });
});

describe('turns that share a commit', () => {
  it('are signed for once', async () => {
    const { world, sentByA } = await setUp();
    const number = (): number => {
      const state = world.b.node.manager.channels()[0]?.state;
      return state?.kind === 'open' ? state.commitments.holderCommit.number : -1;
    };
    const before = number();
    for (let payment = 0; payment < 10; payment++) world.pay(world.a, 1_000_000n);
    await world.pump();
    expect(sentByA()).toEqual(Array.from({ length: 10 }, () => 'succeeded'));
    // One commitment with the ten HTLCs, one without them.
    expect(number() - before).toBe(2);
    expect(world.problems).toEqual([]);
  });
});

describe('a block', () => {
  it('is told to the payments that hold HTLCs, which expire', async () => {
    const { world } = await setUp();
    const told = vi.spyOn(world.a.node.manager.inboundPayments, 'bestBlockUpdated');
    world.mine();
    expect(told.mock.calls).toEqual([[world.chain.height]]);
  });
});
