import { describe, expect, it } from 'vitest';
import type { ChainUpdate } from '../../../../worker/edges/chain/chain-update.ts';
import { toHex } from '../../../../worker/engine/primitives/bytes.ts';
import { encodeTransaction } from '../../../../worker/engine/transactions/transaction.ts';
import {
  confirmedOf,
  followerOf,
  fundings,
  json,
  nameOfTx,
  paying,
  scriptOf,
  serverOf,
  settled,
  type Lie,
} from './fake-chain.ts';

/** All that was told to be in a witness, in hex. */
function witnessesOf(updates: readonly ChainUpdate[]): readonly string[] {
  const told = updates.flatMap(({ confirmed, spending: seen }) => [
    ...seen,
    ...confirmed.flatMap(({ txs }) => txs.map(({ transaction }) => transaction)),
  ]);
  return told.flatMap(({ inputs }) => inputs.flatMap(({ witness }) => witness.map(toHex)));
}

describe('what one server hides another one shows', () => {
  it.each(['in a block', 'in the mempool'])('a preimage in a witness, which no txid covers: %s', async (place) => {
    const preimage = new Uint8Array(32).fill(5);
    const { chain, outpoints } = fundings(1);
    const spending = paying(scriptOf(4), outpoints, [new Uint8Array(71), preimage]);
    const forged = paying(scriptOf(4), outpoints, [new Uint8Array(71), new Uint8Array(1)]);
    if (place === 'in a block') chain.mine(spending);
    else chain.mempool = [spending];
    const lie: Lie = (path) =>
      path === `/tx/${nameOfTx(spending)}/hex` ? new Response(toHex(encodeTransaction(forged))) : undefined;
    const { sync, watchList, updates } = followerOf([serverOf('liar', chain, lie), serverOf('honest', chain)]);
    for (const outpoint of outpoints) watchList.registerOutput(outpoint);
    await sync.poll();
    expect(witnessesOf(updates)).toContain(toHex(preimage));
  });

  it('a preimage, where it proves the transaction for a script and does not answer for the output', async () => {
    const preimage = new Uint8Array(32).fill(5);
    const { chain, outpoints } = fundings(1);
    const ours = scriptOf(4);
    const spending = paying(ours, outpoints, [new Uint8Array(71), preimage]);
    const forged = paying(ours, outpoints, [new Uint8Array(71), new Uint8Array(1)]);
    chain.mine(spending);
    const lie: Lie = (path) => {
      if (path.includes('/outspend/')) return new Response('', { status: 503 });
      return path === `/tx/${nameOfTx(spending)}/hex` ? new Response(toHex(encodeTransaction(forged))) : undefined;
    };
    const { sync, watchList, updates } = followerOf([serverOf('liar', chain, lie), serverOf('honest', chain)]);
    for (const outpoint of outpoints) watchList.registerOutput(outpoint);
    watchList.registerScript(ours);
    for (let block = 0; block < 3; block++) {
      await sync.poll();
      chain.mine();
    }
    expect(witnessesOf(updates)).toContain(toHex(preimage));
  });

  it('though it never gets to the end of a long list in its time', async () => {
    const MANY = 60;
    const { chain, outpoints } = fundings(MANY);
    const timers: (() => void)[] = [];
    const clock = {
      now: () => 0,
      after: (_: number, callback: () => void) => (timers.push(callback), () => undefined),
    };
    const hides: Lie = (path) => (path.includes('/outspend/') ? json({ spent: false }) : undefined);
    let left = 0;
    const never = new Promise<Response>(() => undefined);
    // So many answers are all that there is time for.
    const slow: Lie = (path) => (path.includes('/outspend/') && left-- <= 0 ? never : undefined);
    const { sync, watchList, updates } = followerOf([serverOf('hides', chain, hides), serverOf('slow', chain, slow)], {
      platform: { ...clock, fetch: () => never },
    });
    for (const outpoint of outpoints) watchList.registerOutput(outpoint);
    const spending = paying(scriptOf(4), outpoints.slice(-1));
    chain.mine(spending);
    for (let poll = 0; poll < 12; poll++) {
      left = 40;
      const polled = sync.poll();
      await settled();
      for (const callback of timers.splice(0)) callback();
      await polled;
      if (poll < 2) expect(sync.isHeardOut).toBe(poll === 1);
      if (poll % 3 === 2) chain.mine();
    }
    expect(confirmedOf(updates)).toContain(nameOfTx(spending));
  });
});
