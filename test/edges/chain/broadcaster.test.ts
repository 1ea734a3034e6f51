import { describe, expect, it } from 'vitest';
import funding from '../../vectors/bolt03-funding-tx.json' with { type: 'json' };
import { Broadcaster, type BroadcastResult, type RejectReason } from '../../../worker/edges/chain/broadcaster.ts';
import type { EsploraApi } from '../../../worker/edges/chain/esplora-api.ts';
import { fromHex, reversed, toHex } from '../../../worker/engine/primitives/bytes.ts';
import {
  decodeTransaction,
  encodeTransaction,
  transactionId,
} from '../../../worker/engine/transactions/transaction.ts';
import { FakePlatform, type Answer } from './fake-platform.ts';
import { esploraAt } from './esplora-at.ts';

const rawTx = fromHex(funding.funding_tx_hex);
const decoded = decodeTransaction(rawTx);
const OK: Answer = { body: funding.funding_txid };
const refusal = (words: string): Answer => ({
  status: 400,
  body: `sendrawtransaction RPC error: {"message":"${words}"}`,
});
/** All that mempool's own backend passes on of an error of the node's. */
const coded = (code: number | string): string =>
  JSON.stringify({ error: `sendrawtransaction RPC error: ${JSON.stringify({ code })}` });
/** An error of the node's in the two ways in which versions of electrs put it. */
function told<const T extends readonly unknown[]>(
  code: number,
  message: string,
  ...expected: T
): [string, string, ...T][] {
  return [
    ['electrs', `sendrawtransaction RPC error: ${JSON.stringify({ code, message })}`, ...expected],
    ['a newer electrs', `sendrawtransaction RPC error ${code}: ${message}`, ...expected],
  ];
}

const source = (answer: Answer): EsploraApi => esploraAt('http://esplora.test', new FakePlatform(() => answer));
const broadcast = async (...answers: Answer[]): Promise<BroadcastResult | undefined> =>
  (await new Broadcaster(answers.map(source), () => 0).broadcast([rawTx]))[0]?.result;

describe('Broadcaster', () => {
  it.each([
    'txn-already-in-mempool',
    'txn-already-known',
    'Transaction already in block chain',
    'Transaction outputs already in utxo set',
    'txn-same-nonwitness-data-in-mempool',
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

  it.each<[string, string, BroadcastResult['kind'], RejectReason?]>([
    ...told(-25, 'bad-txns-inputs-missingorspent', 'rejected', 'missingInputs'),
    ...told(-25, 'Fee exceeds maximum configured by user (e.g. -maxtxfee, maxfeerate)', 'rejected', 'invalid'),
    ...told(-26, 'txn-mempool-conflict', 'rejected', 'conflict'),
    ...told(-26, 'min relay fee not met, 100 < 141', 'rejected', 'feeTooLow'),
    ...told(-22, 'TX decode failed. Make sure the tx has at least one input.', 'rejected', 'invalid'),
    ...told(-27, 'Transaction outputs already in utxo set', 'alreadyKnown'),
    ...told(-27, 'Transaction already in block chain', 'alreadyKnown'),
    ...told(-28, 'Loading block index…', 'unreachable'),
    ['electrs', 'RPC error', 'rejected', 'invalid'],
    ['electrs', 'Invalid hex string', 'rejected', 'invalid'],
    ['electrs', 'Connection error', 'unreachable'],
    ['mempool', coded(-25), 'rejected', 'missingInputs'],
    ['mempool', coded(-26), 'rejected', 'invalid'],
    ['mempool', coded(-22), 'rejected', 'invalid'],
    ['mempool', coded(-4), 'rejected', 'invalid'],
    ['mempool', coded(-27), 'alreadyKnown'],
    ['mempool', coded(-28), 'unreachable'],
    ['mempool', coded(-32603), 'unreachable'],
    ['mempool', coded('ECONNREFUSED'), 'unreachable'],
    ['mempool', '{"error":"Failed to send raw transaction"}', 'unreachable'],
  ])('reads what %s says: %s', async (_, body, kind, reason) => {
    const type = body.startsWith('{') ? 'application/json' : 'text/plain';
    const result = await broadcast({ status: 400, body, type });
    expect(result).toEqual(kind === 'rejected' ? { kind, reason, words: body } : { kind });
  });

  it('asks further sources until one accepts', async () => {
    expect(await broadcast('drop', refusal('dust'), { body: funding.funding_txid })).toEqual({ kind: 'accepted' });
    expect(await broadcast(refusal('dust'), 'drop')).toMatchObject({ kind: 'rejected', reason: 'dust' });
    expect(await broadcast('drop', { status: 429, body: '' })).toEqual({ kind: 'unreachable' });
  });

  it('sends to a server that is slow what is new before what was sent before, and nothing twice that waits', async () => {
    const sent: string[] = [];
    const platform = new FakePlatform((_, init) => {
      sent.push(String(init?.body));
      return OK;
    });
    const broadcaster = new Broadcaster([esploraAt('http://esplora.test', platform)], () => 0);
    const [first, second, close] = [1, 2, 3].map((locktime) => encodeTransaction({ ...decoded, locktime }));
    if (first === undefined || second === undefined || close === undefined) throw new Error('three transactions');
    await Promise.all([first, second].map((raw) => broadcaster.broadcast([raw])));
    sent.splice(0);
    await Promise.all([first, second, second, close].map((raw) => broadcaster.broadcast([raw])));
    expect(sent).toEqual([first, close, second].map(toHex));
  });
});

/** A transaction that spends the other's first output. */
const child = encodeTransaction({
  version: 2,
  inputs: [{ txid: transactionId(decoded), vout: 0, sequence: 0, scriptSig: new Uint8Array(0), witness: [] }],
  outputs: [{ amountSat: 1_000n, script: new Uint8Array(22) }],
  locktime: 0,
});
const [parentId, childId] = [rawTx, child].map((raw) => toHex(reversed(transactionId(decodeTransaction(raw)))));

/** electrs' answer, with what Core says of each. */
function packaged(message: string, parentError: string | null, childError: string | null): Answer {
  const result = (txid: string | undefined, error: string | null): object =>
    error === null
      ? { txid, 'other-wtxid': null, vsize: 100, fees: { base: 0.000002, 'effective-feerate': 0.0001 }, error }
      : { txid, 'other-wtxid': null, vsize: null, fees: null, error };
  const results = { aa: result(parentId, parentError), bb: result(childId, childError) };
  return {
    body: JSON.stringify({ package_msg: message, 'tx-results': results, 'replaced-transactions': [] }),
    type: 'application/json',
  };
}

/** What is sent, one letter each: a package, the parent, the child. */
class Server {
  readonly sent: string[] = [];
  readonly api: EsploraApi;

  constructor(together: Answer, parentAlone: Answer, childAlone: Answer) {
    const platform = new FakePlatform((path, init) => {
      const name = path === '/txs/package' ? 'package' : init?.body === toHex(rawTx) ? 'parent' : 'child';
      this.sent.push(name);
      return { package: together, parent: parentAlone, child: childAlone }[name];
    });
    this.api = esploraAt('http://esplora.test', platform);
  }
}

const BELOW = refusal('mempool min fee not met, 200 < 700');
const ORPHAN = refusal('bad-txns-inputs-missingorspent');
const NONE: Answer = { status: 404, body: 'endpoint does not exist "/txs/package"' };
const TAKEN = packaged('success', null, null);
const accepted = { kind: 'accepted' };

async function broadcastBoth(...servers: Server[]): Promise<readonly BroadcastResult[]> {
  const broadcaster = new Broadcaster(
    servers.map(({ api }) => api),
    () => 0,
  );
  return (await broadcaster.broadcast([rawTx, child])).map(({ result }) => result);
}

describe('a parent with its child', () => {
  it('leaves as one, and is not sent in any other way where it is taken', async () => {
    const server = new Server(TAKEN, BELOW, ORPHAN);
    expect(await broadcastBoth(server)).toEqual([accepted, accepted]);
    expect(server.sent).toEqual(['package']);
  });

  it('leaves one after the other where there are no packages; a minute later the server is asked for them again', async () => {
    let now = 0;
    const server = new Server(NONE, BELOW, ORPHAN);
    const broadcaster = new Broadcaster([server.api], () => now);
    const alone = ['parent', 'child'];
    for (const sent of [['package', ...alone], alone, ['package', ...alone], alone]) {
      await broadcaster.broadcast([rawTx, child]);
      expect(server.sent.splice(0)).toEqual(sent);
      now += 30_000;
    }
  });

  it.each<[string, Answer]>([
    ['no such method', { status: 405, body: '' }],
    ["an error of the node's own, of which electrs says no more", { status: 400, body: 'RPC error' }],
    ['the web page of a gateway', { status: 404, body: '<html>', type: 'text/html' }],
    ['a server that breaks at it', { status: 502, body: '' }],
    ['a lost connection', 'drop'],
    ['too many requests', { status: 429, body: '' }],
    ['an answer without its transactions', { body: '{"package_msg":"success","tx-results":{}}' }],
    ['an answer that is none', { body: '[]' }],
    [
      'a package that an unconfirmed coin is not part of',
      packaged('package-not-child-with-unconfirmed-parents', 'package-not-validated', 'package-not-validated'),
    ],
  ])('leaves one after the other, too, after %s', async (_, together) => {
    const server = new Server(together, OK, OK);
    expect(await broadcastBoth(server)).toEqual([accepted, accepted]);
    expect(server.sent).toEqual(['package', 'parent', 'child']);
  });

  it('is refused in the words of the package where it is refused in both ways', async () => {
    const low = packaged(
      'transaction failed',
      'mempool min fee not met, 200 < 700',
      'mempool min fee not met, 900 < 1400',
    );
    expect(await broadcastBoth(new Server(low, BELOW, ORPHAN))).toEqual([
      { kind: 'rejected', reason: 'feeTooLow', words: 'mempool min fee not met, 200 < 700' },
      { kind: 'rejected', reason: 'feeTooLow', words: 'mempool min fee not met, 900 < 1400' },
    ]);
    const unseen = packaged(
      'package-not-child-with-unconfirmed-parents',
      'package-not-validated',
      'package-not-validated',
    );
    expect(await broadcastBoth(new Server(unseen, BELOW, ORPHAN))).toMatchObject([
      { words: 'package-not-child-with-unconfirmed-parents' },
      { words: 'package-not-child-with-unconfirmed-parents' },
    ]);
  });

  it('is in where the parent is in a block already', async () => {
    const server = new Server(packaged('transaction failed', 'txn-already-known', null), ORPHAN, ORPHAN);
    expect(await broadcastBoth(server)).toEqual([{ kind: 'alreadyKnown' }, accepted]);
    expect(server.sent).toEqual(['package']);
  });

  it('is in where each was taken in one of the two ways', async () => {
    const server = new Server(packaged('transaction failed', null, 'insufficient fee'), ORPHAN, OK);
    expect(await broadcastBoth(server)).toEqual([accepted, accepted]);
  });

  it('leaves to every server, whatever the others do', async () => {
    const servers = [
      new Server('drop', 'drop', 'drop'),
      new Server(NONE, BELOW, ORPHAN),
      new Server(TAKEN, BELOW, ORPHAN),
    ];
    expect(await broadcastBoth(...servers)).toEqual([accepted, accepted]);
    expect(servers.map(({ sent }) => sent.length)).toEqual([3, 3, 1]);
  });

  it('needs no packages where it is a parent alone', async () => {
    const server = new Server(TAKEN, BELOW, OK);
    const [result] = await new Broadcaster([server.api], () => 0).broadcast([rawTx]);
    expect([result?.result.kind, server.sent]).toEqual(['rejected', ['parent']]);
  });
});
