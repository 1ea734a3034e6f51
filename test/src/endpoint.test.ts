import { createEndpoint, wrap, type Remote } from 'comlink';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { WalletConfig } from '../../worker/client/api.ts';
import { exposeWallet, type EndpointApi, type ServedWallet } from '../../worker/client/endpoint.ts';
import { toGlowwormError } from '../../worker/client/endpoint-errors.ts';
import { GlowwormError } from '../../worker/engine/primitives/errors.ts';
import { ALICE, FakeWallet, runningSnapshot } from './fake-wallet.ts';

const CONFIG: WalletConfig = { network: 'regtest', esploraUrls: ['http://127.0.0.1:3000'] };

describe('exposeWallet', () => {
  let ports: MessageChannel;
  let fake: FakeWallet;
  let wallet: Remote<ServedWallet & EndpointApi>;
  let internalErrors: unknown[];

  beforeEach(async () => {
    ports = new MessageChannel();
    fake = new FakeWallet();
    internalErrors = [];
    exposeWallet(ports.port1, { open: async () => fake, onInternalError: (thrown) => internalErrors.push(thrown) });
    wallet = wrap(ports.port2);
    await wallet.open(CONFIG);
  });

  afterEach(() => {
    ports.port1.close();
    ports.port2.close();
  });

  it('answers calls with what the wallet answers, bigints included', async () => {
    expect(await wallet.snapshot()).toEqual(runningSnapshot());
    expect(await wallet.sendOnchain({ address: 'bcrt1qxyz', amountSat: 'all' })).toEqual({
      txid: 'fe'.repeat(32),
      txids: ['fe'.repeat(32)],
      feeSat: 282n,
    });
    expect(fake.calls).toEqual([['sendOnchain', { address: 'bcrt1qxyz', amountSat: 'all' }]]);
  });

  describe('refuses', () => {
    it.each([
      ['a prototype', ['snapshot', 'constructor']],
      ['a way to Function', ['constructor', 'constructor']],
      ['__proto__', ['__proto__']],
      ['hasOwnProperty', ['hasOwnProperty']],
      ['a method that does not exist', ['stealKeys']],
      ['the exposed object itself', []],
      ['a path in a string', 'snapshot'],
      ['a path with an object', [{ toString: 'snapshot' }]],
    ])('a call of %s', async (_, path) => {
      expect(await ask({ type: 'APPLY', path, argumentList: [] })).toMatchObject(REFUSED);
    });

    it.each(['GET', 'CONSTRUCT', 'ENDPOINT', 'RELEASE', 'apply', undefined])('a message of type %s', async (type) => {
      expect(await ask({ type, path: ['snapshot'], argumentList: [] })).toMatchObject(REFUSED);
      expect(await wallet.ping()).toBeUndefined();
    });

    it('property writes', async () => {
      const value = { type: 'RAW', value: 'mine' };
      expect(await ask({ type: 'SET', path: ['snapshot'], value })).toMatchObject(REFUSED);
      expect(await ask({ type: 'SET', path: ['__proto__', 'polluted'], value })).toMatchObject(REFUSED);
      expect(await wallet.snapshot()).toEqual(runningSnapshot());
      expect(Object.keys(Object.prototype)).toEqual([]);
    });

    it('what Comlink itself offers: reading, constructing, another endpoint', async () => {
      await expect((async () => await wallet.snapshot)()).rejects.toMatchObject({ code: 'CallRefused' });
      const Snapshot = wallet.snapshot as unknown as new () => unknown;
      await expect(new Snapshot() as Promise<unknown>).rejects.toMatchObject({ code: 'CallRefused' });
      await expect(wallet[createEndpoint]()).rejects.toMatchObject({ code: 'CallRefused' });
    });

    it('arguments that Comlink would turn into something else than data', async () => {
      const argument = { type: 'HANDLER', name: 'throw', value: { isError: false, value: 1 } };
      expect(await ask({ type: 'APPLY', path: ['decodeInvoice'], argumentList: [argument] })).toMatchObject(REFUSED);
      expect(await ask({ type: 'APPLY', path: ['decodeInvoice'], argumentList: [null] })).toMatchObject(REFUSED);
      expect(await ask({ type: 'APPLY', path: ['decodeInvoice'], argumentList: 'abc' })).toMatchObject(REFUSED);
      expect(await ask({ type: 'APPLY', path: ['subscribe'], argumentList: [argument] })).toMatchObject(REFUSED);
    });

    it('silently what has no id to answer to', async () => {
      for (const message of [null, 7, 'snapshot', { type: 'APPLY', path: ['wake'] }, { id: {}, type: 'GET' }]) {
        ports.port2.postMessage(message);
      }
      expect(await wallet.ping()).toBeUndefined();
      expect(fake.calls).toEqual([]);
    });
  });

  describe('checks arguments', () => {
    const address = { kind: 'websocket', url: 'wss://peer.example' };
    it.each<[string, unknown[], string]>([
      ['snapshot', [1], 'arguments'],
      ['openChannel', [], 'arguments'],
      ['openChannel', [{}, {}], 'arguments'],
      ['openChannel', [null], 'request'],
      ['openChannel', [['a']], 'request'],
      ['openChannel', [{ nodeId: ALICE, amountSat: 20000 }], 'request.amountSat'],
      ['openChannel', [{ nodeId: ALICE, amountSat: -1n }], 'request.amountSat'],
      ['openChannel', [{ nodeId: ALICE, amountSat: 2_100_000_000_000_001n }], 'request.amountSat'],
      ['openChannel', [{ nodeId: ALICE.slice(2), amountSat: 20000n }], 'request.nodeId'],
      ['openChannel', [{ nodeId: ALICE, amountSat: 20000n, pushmsat: 1n }], 'request.pushmsat'],
      ['closeChannel', [{ channelId: 'ABC' }], 'request.channelId'],
      ['closeChannel', [{ channelId: '11'.repeat(32), maxFeeSat: 5 }], 'request.maxFeeSat'],
      ['closeChannel', [{ channelId: '11'.repeat(32), maxFeeSat: -1n }], 'request.maxFeeSat'],
      ['quoteClose', [{ channelId: '11'.repeat(32), maxFeeSat: 5n }], 'request.maxFeeSat'],
      ['payInvoice', [{ invoice: 7 }], 'request.invoice'],
      ['payInvoice', [{ invoice: 'x'.repeat(8001) }], 'request.invoice'],
      ['payInvoice', [{ invoice: 'lnbc', amountMsat: 0n }], 'request.amountMsat'],
      ['createInvoice', [{ description: 'é'.repeat(320) }], 'request.description'],
      ['createInvoice', [{ description: '', expirySeconds: 1.5 }], 'request.expirySeconds'],
      ['newAddress', [{ type: 'p2pkh' }], 'request.type'],
      ['activity', [{ limit: 0 }], 'request.limit'],
      ['payInvoice', [{ invoice: 'lnbc', maxFeeMsat: -1n }], 'request.maxFeeMsat'],
      ['payInvoice', [{ invoice: 'lnbc', maxFeeMsat: 5 }], 'request.maxFeeMsat'],
      ['quotePayment', [], 'arguments'],
      ['quotePayment', [{}], 'request.invoice'],
      ['quotePayment', [{ invoice: 'lnbc', amountMsat: 0n }], 'request.amountMsat'],
      ['quotePayment', [{ invoice: 'lnbc', maxFeeMsat: 5n }], 'request.maxFeeMsat'],
      ['sendOnchain', [{ address: 'a', amountSat: 'most' }], 'request.amountSat'],
      ['sendOnchain', [{ address: 'a', amountSat: 1n, maxFeeSat: -1n }], 'request.maxFeeSat'],
      ['sendOnchain', [{ address: 'a', amountSat: 1n, maxFeeSat: 'any' }], 'request.maxFeeSat'],
      ['sendOnchain', [{ address: 'a', amountSat: 1n, maxFeeSat: 2_100_000_000_000_001n }], 'request.maxFeeSat'],
      ['sendOnchain', [{ address: 'a', amountSat: 1n, outputs: [] }], 'request.address'],
      ['sendOnchain', [{ outputs: [] }], 'request.outputs'],
      ['sendOnchain', [{ outputs: [{ address: 'a', amountSat: 'all' }] }], 'request.outputs[0].amountSat'],
      ['sendOnchain', [{ outputs: [{ address: 'a', amountSat: 1n }], feerate: 2 }], 'request.feerate'],
      ['sendOnchain', [{ address: 'a', amountSat: 1n, label: 'é'.repeat(101) }], 'request.label'],
      ['newAddress', [{ type: 'p2tr', label: 7 }], 'request.label'],
      ['quoteOnchain', [{ address: 'a', amountSat: 1n, feeratePerVbyte: 0.9 }], 'request.feeratePerVbyte'],
      ['quoteOnchain', [{ address: 'a', amountSat: 1n, feeratePerVbyte: 1_000.1 }], 'request.feeratePerVbyte'],
      ['quoteOnchain', [{ address: 'a', amountSat: 1n, feeratePerVbyte: NaN }], 'request.feeratePerVbyte'],
      ['quoteOnchain', [{ address: 'a', amountSat: 1n, feeratePerVbyte: '5' }], 'request.feeratePerVbyte'],
      ['quoteOnchain', [{ address: 'a', amountSat: 1n, feeratePerVbyte: 5n }], 'request.feeratePerVbyte'],
      ['quoteOnchain', [], 'arguments'],
      ['quoteOnchain', [{ address: '', amountSat: 1n }], 'request.address'],
      ['quoteOnchain', [{ address: 'a', amountSat: 0n }], 'request.amountSat'],
      ['quoteOnchain', [{ address: 'a', amountSat: 1 }], 'request.amountSat'],
      ['quoteOnchain', [{ address: 'a', amountSat: 'all', maxFeeSat: 1n }], 'request.maxFeeSat'],
      ['quoteSweepFound', [{}], 'arguments'],
      ['sweepFound', [], 'arguments'],
      ['sweepFound', [{ maxFeeSat: 5 }], 'request.maxFeeSat'],
      ['restoreWallet', [{ mnemonic: '' }], 'request.mnemonic'],
      ['connectPeer', [{ nodeId: ALICE, address: { kind: 'tcp' } }], 'request.address.kind'],
      ['connectPeer', [{ nodeId: ALICE, address: { kind: 'websocket', url: 'https://a' } }], 'request.address.url'],
      ['connectPeer', [{ nodeId: ALICE, address, trustedForZeroConf: 'yes' }], 'request.trustedForZeroConf'],
      ['acknowledgeEvent', [{ id: '' }], 'request.id'],
      ['open', [{ ...CONFIG, network: 'litecoin' }], 'config.network'],
      ['open', [{ ...CONFIG, esploraUrls: ['javascript:alert(1)'] }], 'config.esploraUrls[0]'],
      ['open', [{ ...CONFIG, name: '../other' }], 'config.name'],
      ['subscribe', [], 'arguments'],
    ])('%s(%o)', async (method, args, argument) => {
      const call = (wallet as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>)[method];
      await expect(call?.(...args)).rejects.toMatchObject({ code: 'ArgumentInvalid', details: { argument } });
      expect(fake.calls).toEqual([]);
    });

    it('and passes the good ones on', async () => {
      const peer = {
        nodeId: ALICE,
        address: { kind: 'proxyV1', proxyUrl: 'wss://proxy', host: '::1', port: 9735 },
      } as const;
      await wallet.connectPeer(peer);
      await wallet.createInvoice({ description: '', amountMsat: 1n });
      await wallet.payInvoice({ invoice: 'lnbc', amountMsat: 1n, maxFeeMsat: 0n });
      await wallet.sendOnchain({ address: 'a', amountSat: 1n, maxFeeSat: 300n });
      await wallet.sweepFound({ maxFeeSat: (await wallet.quoteSweepFound()).feeSat });
      const several = { outputs: [{ address: 'a', amountSat: 1n }], feeratePerVbyte: 1.5, label: 'rent' };
      await wallet.sendOnchain(several);
      expect(fake.calls).toEqual([
        ['connectPeer', peer],
        ['createInvoice', { description: '', amountMsat: 1n }],
        ['payInvoice', { invoice: 'lnbc', amountMsat: 1n, maxFeeMsat: 0n }],
        ['sendOnchain', { address: 'a', amountSat: 1n, maxFeeSat: 300n }],
        ['sweepFound', { maxFeeSat: 700n }],
        ['sendOnchain', several],
      ]);
    });

    it('and answers with quotes', async () => {
      expect(await wallet.quotePayment({ invoice: 'lnbc', amountMsat: 7n })).toEqual({
        amountMsat: 7n,
        feeMsat: 251_250n,
        maxFeeMsat: 5_000_000n,
      });
      expect(await wallet.quoteOnchain({ address: 'a', amountSat: 'all' })).toEqual({
        amountSat: 1_229_718n,
        feeSat: 282n,
        feeratePerVbyte: 2,
        transactions: 1,
      });
    });
  });

  describe('errors', () => {
    it('keep code, message and details', async () => {
      fake.payInvoice = () =>
        Promise.reject(new GlowwormError('RouteNotFound', 'No route.', { amountMsat: 5n, hops: 0 }));
      const error: unknown = await wallet.payInvoice({ invoice: 'lnbc1' }).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(GlowwormError);
      expect(error).toMatchObject({
        code: 'RouteNotFound',
        message: 'No route.',
        details: { amountMsat: 5n, hops: 0 },
      });
    });

    it('of ours lose what they say and where', async () => {
      const thrown = new TypeError('the key is 0xdeadbeef');
      fake.snapshot = () => {
        throw thrown;
      };
      const error: unknown = await wallet.snapshot().catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code: 'InternalError', details: { name: 'TypeError' } });
      expect(JSON.stringify(error) + String(error)).not.toContain('deadbeef');
      expect(internalErrors).toEqual([thrown]);
    });

    it('that are not even errors become one', () => {
      expect(toGlowwormError('a secret')).toMatchObject({ code: 'InternalError', details: { name: 'string' } });
      expect(toGlowwormError(undefined)).toMatchObject({ code: 'InternalError' });
    });
  });

  const REFUSED = { type: 'HANDLER', name: 'throw', value: { kind: 'glowwormError', code: 'CallRefused' } };

  /** Sends a raw message and resolves with the raw answer. */
  function ask(message: object): Promise<unknown> {
    const id = `raw-${Math.random()}`;
    return new Promise((resolve) => {
      const onMessage = (event: MessageEvent<{ readonly id: string }>): void => {
        if (event.data.id !== id) return;
        ports.port2.removeEventListener('message', onMessage);
        resolve(event.data);
      };
      ports.port2.addEventListener('message', onMessage);
      ports.port2.postMessage({ ...message, id });
    });
  }
});

describe('a session', () => {
  it('opens once, and can try again after a failure', async () => {
    const ports = new MessageChannel();
    const results: (() => Promise<ServedWallet>)[] = [
      () => Promise.reject(new GlowwormError('StorageUnavailable', 'No storage.')),
      async () => new FakeWallet(),
    ];
    const open = (): Promise<ServedWallet> => results.shift()?.() ?? Promise.reject(new Error('opened too often'));
    exposeWallet(ports.port1, { open, onInternalError: () => {} });
    const wallet = wrap<ServedWallet & EndpointApi>(ports.port2);
    await expect(wallet.snapshot()).rejects.toMatchObject({ code: 'WalletNotOpen' });
    await expect(wallet.open(CONFIG)).rejects.toMatchObject({ code: 'StorageUnavailable' });
    await wallet.open(CONFIG);
    await expect(wallet.open(CONFIG)).rejects.toMatchObject({ code: 'WalletAlreadyOpen' });
    await wallet.close();
    await expect(wallet.snapshot()).rejects.toMatchObject({ code: 'WalletNotOpen' });
    ports.port1.close();
  });
});
