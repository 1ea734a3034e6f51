import { expect, it } from 'vitest';
import funding from '../vectors/bolt03-funding-tx.json' with { type: 'json' };
import { Broadcaster } from '../../worker/edges/chain/broadcaster.ts';
import { fromHex } from '../../worker/engine/primitives/bytes.ts';
import { FakePlatform, type Answer } from '../edges/chain/fake-platform.ts';
import { esploraAt } from '../edges/chain/esplora-at.ts';

const LIES: readonly Answer[] = [
  { body: funding.funding_txid },
  { status: 400, body: '{"message":"txn-already-in-mempool"}' },
];

it.each(LIES)('a server that claims to have a transaction does not keep it from the others (%o)', async (lie) => {
  const [liar, honest] = [new FakePlatform(() => lie), new FakePlatform(() => ({ body: funding.funding_txid }))];
  const sources = [liar, honest].map((platform) => esploraAt('http://esplora.test', platform));
  await new Broadcaster(sources, () => 0).broadcast([fromHex(funding.funding_tx_hex)]);
  expect(honest.requests).toHaveLength(1);
});
