import { describe, expect, it } from 'vitest';
import funding from '../../vectors/bolt03-funding-tx.json' with { type: 'json' };
import { Broadcaster, type BroadcastResult } from '../../../worker/edges/chain/broadcaster.ts';
import { EsploraApi } from '../../../worker/edges/chain/esplora-api.ts';
import { fromHex, reversed } from '../../../worker/engine/primitives/bytes.ts';
import { FakePlatform, type Answer } from './fake-platform.ts';

const rawTx = fromHex(funding.funding_tx_hex);
const txid = reversed(fromHex(funding.funding_txid));
const refusal = (words: string): Answer => ({
  status: 400,
  body: `sendrawtransaction RPC error: {"message":"${words}"}`,
});
const source = (answer: Answer): EsploraApi => new EsploraApi('http://esplora.test', new FakePlatform(() => answer));
const broadcast = (...answers: Answer[]): Promise<BroadcastResult> =>
  new Broadcaster(answers.map(source)).broadcast([rawTx]);

describe('Broadcaster', () => {
  it.each([
    'txn-already-in-mempool',
    'txn-already-known',
    'Transaction already in block chain',
    'Transaction outputs already in utxo set',
  ])('counts "%s" as a success', async (words) => {
    expect(await broadcast(refusal(words))).toEqual({ kind: 'alreadyKnown' });
  });

  it.each([
    ['bad-txns-inputs-missingorspent', 'missingInputs'],
    ['txn-mempool-conflict', 'conflict'],
    ['insufficient fee, rejecting replacement', 'conflict'],
    ['min relay fee not met, 100 < 141', 'feeTooLow'],
    ['mempool min fee not met', 'feeTooLow'],
    ['non-BIP68-final', 'notFinal'],
    ['dust', 'dust'],
    ['too-long-mempool-chain', 'tooManyUnconfirmed'],
    ['mandatory-script-verify-flag-failed', 'invalid'],
  ])('calls "%s" %s', async (words, reason) => {
    expect(await broadcast(refusal(words))).toMatchObject({ kind: 'rejected', reason });
  });

  it('asks further sources until one accepts', async () => {
    expect(await broadcast('drop', refusal('dust'), { body: funding.funding_txid })).toEqual({ kind: 'accepted' });
    expect(await broadcast(refusal('dust'), 'drop')).toMatchObject({ kind: 'rejected', reason: 'dust' });
    expect(await broadcast('drop', { status: 429, body: '' })).toEqual({ kind: 'unreachable' });
  });

  it('sends again with every block until it is told to forget', async () => {
    const platform = new FakePlatform(() => 'drop');
    const broadcaster = new Broadcaster([new EsploraApi('http://esplora.test', platform)]);
    await broadcaster.broadcast([rawTx]);
    expect([...(await broadcaster.rebroadcast()).values()]).toEqual([{ kind: 'unreachable' }]);
    expect(platform.requests).toHaveLength(2);
    broadcaster.forget(txid);
    expect((await broadcaster.rebroadcast()).size).toBe(0);
    expect(platform.requests).toHaveLength(2);
  });
});
