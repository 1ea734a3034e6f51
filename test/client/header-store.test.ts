import { describe, expect, it } from 'vitest';
import { configuredChain } from '../../worker/client/configured-chain.ts';
import { HeaderStore } from '../../worker/client/header-store.ts';
import { HeaderChain } from '../../worker/edges/chain/header-chain.ts';
import type { StoreWrites } from '../../worker/engine/primitives/store.ts';
import { headersOn, regtestChain } from '../edges/chain/regtest-headers.ts';

const REGTEST = configuredChain({ network: 'regtest' });
const genesis = regtestChain();
const main = headersOn(genesis.tip.header, 700);
const until = (height: number): HeaderChain => genesis.extend(0, main.slice(0, height));
const branch = (fork: number, count: number): HeaderChain =>
  until(fork).extend(fork, headersOn(until(fork).tip.header, count, { salt: 1 }));

/** What the wallet's database has after some writes. */
function stored(...writes: readonly StoreWrites[]): Map<string, Uint8Array> {
  const records = new Map<string, Uint8Array>();
  for (const [key, value] of writes.flatMap((each) => [...each])) {
    if (value === undefined) records.delete(key);
    else records.set(key, value);
  }
  return new Map([...records].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

const open = (
  records: ReadonlyMap<string, Uint8Array>,
  toldHeight = 0,
  onDamaged: (key: string) => void = () => undefined,
): HeaderStore => new HeaderStore(REGTEST, records, toldHeight, onDamaged);

describe('stored headers', () => {
  it.each([0, 1, 63, 64, 65, 700])('are there again after a restart: %i blocks', (height) => {
    const chain = until(height);
    const { chain: again } = open(stored(open(new Map()).write(chain)));
    expect(again?.state).toEqual(chain.state);
  });

  it('are written once: a block writes its record, of 64 headers at most', () => {
    const store = open(new Map());
    expect(store.write(until(100)).size).toBe(2);
    const sizes = [101, 102, 127, 128].map((height) => {
      const writes = store.write(until(height));
      return [writes.size, ...[...writes.values()].map((bytes) => (bytes?.length ?? 0) <= 64 * 80 + 20)];
    });
    expect(sizes).toEqual([
      [1, true],
      [1, true],
      [1, true],
      [1, true],
    ]);
    expect(store.write(until(128)).size).toBe(0);
    expect([store.unwritten(until(128)), store.unwritten(until(700))]).toEqual([0, 572]);
  });

  it.each([
    [130, 10],
    [128, 80],
    [10, 300],
  ])('are those of the branch after a reorganisation: %i and %i blocks', (fork, count) => {
    const store = open(new Map());
    const [first, second] = [store.write(until(200)), store.write(branch(fork, count))];
    const again = open(stored(first, second)).chain;
    expect(again?.tip.header).toEqual(branch(fork, count).tip.header);
  });

  it('are what is before the first record that is damaged or missing', () => {
    const records = stored(open(new Map()).write(until(300)));
    const [, second = '', third = ''] = [...records.keys()];
    const damaged: string[] = [];
    const broken = new Map([...records, [third, Uint8Array.of(1, 2, 3)]]);
    const { chain } = open(broken, 0, (key) => damaged.push(key));
    expect([chain?.tip.height, damaged]).toEqual([127, [third]]);
    records.delete(second);
    expect(open(records).chain?.tip.height).toBe(63);
  });

  it('say up to where the wallet was told: to the end where it does not know itself', () => {
    const records = stored(open(new Map()).write(until(300)));
    const { told } = open(records, 250);
    expect([told?.height, told?.headers.tip.height]).toEqual([250, 250]);
    expect([open(records).told?.height, open(new Map()).told]).toEqual([300, undefined]);
    expect([open(records, 250), open(records), open(new Map(), 250)].map(({ toldHeight }) => toldHeight)).toEqual([
      250, 300, 250,
    ]);
  });

  it('of a wallet that had no checkpoint say what it was told, and go once there are others', () => {
    const writes = open(new Map()).write(until(60));
    const [bytes = new Uint8Array(0)] = [...writes.values()];
    const store = open(new Map([['chain/headers', bytes]]), 60);
    expect([store.chain, store.told?.headers.tip.height]).toEqual([undefined, 60]);
    const unproven = (writes: StoreWrites): boolean => writes.has('chain/headers') && !writes.get('chain/headers');
    expect([unproven(store.write(until(40))), unproven(store.tell(until(61)))]).toEqual([false, true]);
    expect([...store.tell(until(62)).keys()]).toEqual(['chain/header/000000000000']);
    const half = open(new Map([['chain/headers', bytes], ...stored(open(new Map()).write(until(40)))]), 60);
    expect([half.chain?.tip.height, half.told?.headers.tip.height]).toEqual([40, 60]);
  });

  it('that the wallet was told of stay until it is told of others, whatever is known', () => {
    const store = open(stored(open(new Map()).tell(until(200))), 200);
    expect(store.unwritten(branch(199, 500))).toBe(0);
    expect(store.unwritten(branch(200, 500))).toBe(500);
    store.tell(branch(199, 500));
    expect(store.unwritten(branch(199, 500))).toBe(0);
  });
});
