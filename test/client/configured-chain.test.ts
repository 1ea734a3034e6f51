import { describe, expect, it } from 'vitest';
import type { WalletConfig } from '../../worker/client/api.ts';
import { chainHashOf } from '../../worker/client/chain-hash.ts';
import { configuredChain } from '../../worker/client/configured-chain.ts';
import { WALLET_CONFIG } from '../../worker/client/endpoint-methods.ts';
import { decodeWalletSecret, encodeWalletSecret, type WalletSecret } from '../../worker/client/wallet-records.ts';
import { headerOfFields } from '../../worker/edges/chain/block-header.ts';
import { CHAIN_PARAMETERS } from '../../worker/edges/chain/chain-parameters.ts';
import { brokenRule, periodOf } from '../../worker/edges/chain/difficulty.ts';
import { invoiceNetwork } from '../../worker/engine/payments/invoice.ts';
import { fromHex, reversed, toHex } from '../../worker/engine/primitives/bytes.ts';
import { MemoryDisk } from '../simulation/memory-store.ts';
import { FakeNode } from './fake-node.ts';
import { FakePlatform } from '../edges/chain/fake-platform.ts';

/** As Core makes it, of the same parts for every signet. */
const SIGNET_GENESIS = headerOfFields({
  hash: '',
  height: 0,
  version: 1,
  previousHash: '00'.repeat(32),
  merkleRoot: '4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b',
  time: 1_598_918_400,
  bits: 0x1e03_77ae,
  nonce: 52_613_770,
});
const signet = { challenge: '51', blockSeconds: 60 };
const checkpoint = { height: 40, hash: '00'.repeat(32) };

describe('a signet of one’s own', () => {
  it('begins with the block that all signets begin with, or at a checkpoint', () => {
    const common = configuredChain({ network: 'signet', signet });
    expect(common.checkpoint).toEqual({ height: 0, hash: SIGNET_GENESIS.hash });
    expect(configuredChain({ network: 'signet', signet, checkpoint }).checkpoint).toEqual(checkpoint);
  });

  it('has the chain hash and the invoices of every signet, and mutinynet too', () => {
    const chainHashes = (['signet', 'mutinynet'] as const).map((network) => toHex(chainHashOf(network)));
    expect(new Set(chainHashes)).toEqual(new Set([toHex(reversed(fromHex(SIGNET_GENESIS.hash)))]));
    expect(invoiceNetwork('mutinynet')).toBe('signet');
  });

  it('knows none of the default one’s old blocks', async () => {
    expect(await configuredChain({ network: 'signet', signet }).oldHashes()).toHaveLength(0);
    expect((await configuredChain({ network: 'signet' }).oldHashes()).length).toBeGreaterThan(0);
  });

  it.each([
    [1, 1_209_600, 5_000],
    [30, 40_320, 10_000],
    [60, 20_160, 20_000],
    [600, 2_016, 20_000],
    [700, 1_728, 20_000],
  ])(
    'of %i seconds a block has %i blocks to two weeks, and is asked for every %i ms',
    (blockSeconds, blocks, pollMs) => {
      const parameters = configuredChain({ network: 'signet', signet: { ...signet, blockSeconds } });
      expect([periodOf(parameters.rules), parameters.pollMs]).toEqual([blocks, pollMs]);
    },
  );

  it.each<[string, Pick<WalletConfig, 'network' | 'signet' | 'checkpoint'>]>([
    ['a signet with another network', { network: 'bitcoin', signet }],
    ['a checkpoint of a network that has one', { network: 'bitcoin', checkpoint }],
    ['a checkpoint of the default signet', { network: 'signet', checkpoint }],
  ])('is refused: %s', (_, config) => {
    expect(() => configuredChain(config)).toThrow(expect.objectContaining({ code: 'ArgumentInvalid' }) as Error);
  });

  it('is checked at the border', () => {
    const config = { network: 'signet', esploraUrls: ['https://signet.example'], signet, checkpoint };
    expect(WALLET_CONFIG(config, 'config')).toEqual(config);
    for (const wrong of [
      { challenge: 'xy', blockSeconds: 60 },
      { challenge: '51', blockSeconds: 0 },
      { challenge: '51' },
    ])
      expect(() => WALLET_CONFIG({ ...config, signet: wrong }, 'config')).toThrow();
  });

  it('is named in the wallet’s record, which an older program then refuses', () => {
    const secret: WalletSecret = { mnemonic: 'a b', network: 'signet', searched: true, firstKeysIndex: 3 };
    for (const each of [secret, { ...secret, network: 'mutinynet' } as const, { ...secret, challenge: '51ae' }])
      expect(decodeWalletSecret(encodeWalletSecret(each))).toEqual(each);
    expect([secret, { ...secret, challenge: '51ae' }].map((each) => encodeWalletSecret(each)[2])).toEqual([1, 2]);
  });

  it('is followed, and stops payments when it has no new block for twelve of its own', async () => {
    const answer = (path: string): string => {
      if (path === '/blocks/tip/hash') return SIGNET_GENESIS.hash;
      if (path === `/block/${SIGNET_GENESIS.hash}/header`) return toHex(SIGNET_GENESIS.raw);
      return JSON.stringify({ 1: 1, chain_stats: { tx_count: 0 }, mempool_stats: { tx_count: 0 } });
    };
    const server = new FakePlatform((path) => ({ body: answer(path) }));
    const fake = new FakeNode([], new MemoryDisk(), server, { network: 'signet', signet });
    await fake.pass(5 * 60);
    expect(fake.node.chain.status).toMatchObject({ kind: 'synced', blockHeight: 0 });
    const { changes } = fake;
    await fake.pass(8 * 60);
    expect(fake.node.chain.status).toMatchObject({ stale: { stopped: true } });
    expect(fake.changes).toBeGreaterThan(changes);
    await fake.stop();
  });
});

describe('mutinynet', () => {
  it('has a new target every 40,320 blocks, out of the time that they took', () => {
    const { rules } = CHAIN_PARAMETERS.mutinynet;
    const bits = 0x1e00_ffff;
    const at = (height: number): { readonly time: number; readonly bits: number } => ({
      time: 1_700_000_000 + height * 15,
      bits,
    });
    const block = (height: number, of: number): string | undefined =>
      brokenRule(rules, height, { ...at(height), bits: of }, at);
    expect(block(2_016, bits)).toBeUndefined();
    expect(block(40_320, bits)).toMatch(/another target/);
    // In half the time: half the target, as far as its 24 bits and the block that is missing between two ends tell.
    expect(block(40_320, 0x1d7f_fe4a)).toMatch(/another target/);
    expect([...Array(0x400).keys()].filter((low) => block(40_320, 0x1d7f_fc00 + low) === undefined)).toHaveLength(1);
  });

  it('may be given a newer checkpoint than the program’s', () => {
    expect(configuredChain({ network: 'mutinynet', checkpoint }).checkpoint).toEqual(checkpoint);
    expect(configuredChain({ network: 'mutinynet' }).checkpoint.height).toBe(1);
  });
});
