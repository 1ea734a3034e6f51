import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../../../worker/engine/primitives/bytes.ts';
import { nobleSecp256k1 as secp } from '../../../../worker/engine/primitives/secp256k1.ts';
import { trampolineDialects } from '../../../../worker/engine/onion/trampoline/trampoline-dialect.ts';
import {
  buildTrampolineOnion,
  type TrampolineRoute,
} from '../../../../worker/engine/onion/trampoline/trampoline-onion.ts';
import type { TrampolinePayee } from '../../../../worker/engine/onion/trampoline/trampoline-payee.ts';
import deployed from '../../../vectors/trampoline-deployed.json' with { type: 'json' };
import proposed from '../../../vectors/trampoline-proposed.json' with { type: 'json' };
import { unframed } from '../fixtures.ts';
import { peeledBy, secretOf } from './fixtures.ts';

const caseOf = (name: string) => {
  const found = deployed.cases.find((each) => each.name === name);
  if (found === undefined) throw new Error(`no case ${name}`);
  return found;
};
const paymentHash = fromHex('42'.repeat(32));
const sessionKey = fromHex('03'.repeat(32));
const [carol, dave, eve, trent] = [0x43, 0x44, 0x45, 0x46].map((byte) => secp.publicKey(new Uint8Array(32).fill(byte)));
if (carol === undefined || dave === undefined || eve === undefined || trent === undefined) throw new Error('no nodes');

const amounts = { amountMsat: 100_000_000n, cltvExpiry: 800_000 };
const toCarol = { nodeId: carol, amountMsat: 100_404_000n, cltvExpiry: 800_576 };
const invoice = { nodeId: eve, paymentSecret: fromHex(deployed.invoiceSecret), totalMsat: 100_000_000n } as const;
const paymentMetadata = fromHex('010203');
const hint = {
  nodeId: dave,
  shortChannelId: 0x0aae60000001_0000n,
  feeBaseMsat: 1000,
  feeProportionalMillionths: 100,
  cltvExpiryDelta: 144,
};
const features = fromHex('024100');

const route = (payee: TrampolinePayee, changed: Partial<TrampolineRoute> = {}): TrampolineRoute => ({
  dialect: 'deployed',
  trampolines: [toCarol],
  payee,
  ...amounts,
  ...changed,
});
const build = (asked: TrampolineRoute) => buildTrampolineOnion(secp, asked, { sessionKey, paymentHash });

/** The payloads that the vector's nodes find in an onion, one after the other. */
function payloadsIn(onion: Uint8Array, nodeIds: readonly string[]): readonly string[] {
  let packet = onion;
  return nodeIds.map((nodeId) => {
    const peeled = peeledBy(secretOf(nodeId), packet, paymentHash);
    if (peeled.kind === 'forward') packet = peeled.nextPacket;
    return toHex(peeled.payload);
  });
}

describe('a trampoline onion', () => {
  it('for a payee with trampoline is Phoenix’s', () => {
    const onion = build(route({ kind: 'trampoline', ...invoice, paymentMetadata }));
    expect(toHex(onion.packet)).toBe(caseOf('kmp-to-trampoline-recipient').trampolinePacket);
    expect(onion.sharedSecrets.map(toHex)).toEqual(caseOf('kmp-to-trampoline-recipient').trampolineSharedSecrets);
  });

  it('for the trampoline node itself is Phoenix’s', () => {
    const { packet } = build(
      route({ kind: 'trampoline', ...invoice, nodeId: carol, paymentMetadata }, { trampolines: [] }),
    );
    expect(toHex(packet)).toBe(caseOf('kmp-to-trampoline-peer').trampolinePacket);
  });

  it('for a payee without trampoline is one that Electrum reads too', () => {
    const payee = { kind: 'routeHints', ...invoice, features, routeHints: [[hint]] } as const;
    expect(toHex(build(route(payee)).packet)).toBe(caseOf('electrum-to-non-trampoline-recipient').trampolinePacket);
  });

  it('for a payee behind blinded paths is Phoenix’s', () => {
    const { trampolineHops, trampolinePacket } = caseOf('kmp-to-blinded-paths');
    const decoded = trampolineDialects.deployed.payload.decode(unframed(trampolineHops[0]?.payload ?? ''));
    if (decoded.kind !== 'payload') throw new Error('invalid');
    const { recipientBlindedPaths: paths = [] } = decoded.payload;
    const payee = { kind: 'blindedPaths', features: fromHex('00020000'), paths } as const;
    expect(toHex(build(route(payee)).packet)).toBe(trampolinePacket);
  });

  it('tells each of several trampoline nodes of the next one alone', () => {
    const { trampolineHops } = caseOf('electrum-to-trampoline-recipient-two-forwarders');
    const trampolines = [
      { nodeId: carol, amountMsat: 100_004_000n, cltvExpiry: 801_152 },
      { nodeId: trent, amountMsat: 100_002_000n, cltvExpiry: 800_576 },
    ];
    const { packet } = build(route({ kind: 'trampoline', ...invoice }, { trampolines }));
    expect(
      payloadsIn(
        packet,
        trampolineHops.map(({ nodeId }) => nodeId),
      ),
    ).toEqual(trampolineHops.map(({ payload }) => toHex(unframed(payload))));
  });

  it('has the payloads of BOLT proposal 836 in its dialect', () => {
    const { packet } = build(route({ kind: 'trampoline', ...invoice }, { dialect: 'proposed' }));
    const hops = proposed.payment.generateAlice.trampolineHops;
    expect(
      payloadsIn(
        packet,
        hops.map(({ nodeId }) => nodeId),
      ),
    ).toEqual(hops.map(({ payload }) => toHex(unframed(payload.hex))));
  });

  it('is of one length whatever an invoice’s metadata and the number of trampoline nodes', () => {
    const one = build(route({ kind: 'trampoline', ...invoice }));
    const trampolines = [toCarol, { ...toCarol, nodeId: trent }, { ...toCarol, nodeId: dave }];
    const three = build(
      route({ kind: 'trampoline', ...invoice, paymentMetadata: new Uint8Array(40) }, { trampolines }),
    );
    expect([one.packet.length, three.packet.length]).toEqual([466, 466]);
  });

  it('leaves out the last of too many hints, and what could not be used anyhow', () => {
    const routeHints = [[], ...Array.from({ length: 30 }, (_, index) => [{ ...hint, shortChannelId: BigInt(index) }])];
    const { packet } = build(route({ kind: 'routeHints', ...invoice, features, routeHints }));
    const [payload = ''] = payloadsIn(packet, [toHex(carol)]);
    const decoded = trampolineDialects.deployed.payload.decode(fromHex(payload));
    const left = decoded.kind === 'payload' ? decoded.payload.invoiceRoutingInfo : undefined;
    expect(left?.flat().map(({ shortChannelId }) => shortChannelId)).toEqual(
      Array.from({ length: 14 }, (_, index) => BigInt(index)),
    );
    expect(packet.length).toBeLessThanOrEqual(1066);
  });

  it('leaves out the only hint too, when an invoice has much to say', () => {
    const payee = { kind: 'routeHints', ...invoice, features, routeHints: [[hint]] } as const;
    const { packet } = build(route({ ...payee, paymentMetadata: new Uint8Array(740) }));
    expect(payloadsIn(packet, [toHex(carol)])[0]).toMatch(/fe0001023300$/);
  });

  it('leaves out the last of too many blinded paths, but for one', () => {
    const path = (filling: number) => ({
      firstNodeId: dave,
      firstPathKey: dave,
      hops: [{ blindedNodeId: eve, encryptedRecipientData: new Uint8Array(filling) }],
      feeBaseMsat: 1,
      feeProportionalMillionths: 2,
      cltvExpiryDelta: 3,
      htlcMinimumMsat: 4n,
      htlcMaximumMsat: 5n,
      features: new Uint8Array(0),
    });
    const [first, second] = [path(400), path(500)];
    const { packet } = build(route({ kind: 'blindedPaths', features, paths: [first, second] }));
    const decoded = trampolineDialects.deployed.payload.decode(fromHex(payloadsIn(packet, [toHex(carol)])[0] ?? ''));
    expect(decoded).toMatchObject({ payload: { recipientBlindedPaths: [first] } });
    const tooLong = { kind: 'blindedPaths', features, paths: [path(1000)] } as const;
    expect(() => build(route(tooLong))).toThrow(expect.objectContaining({ code: 'RouteTooLong' }));
  });

  it('takes a thousand bytes and no more', () => {
    const lengthOf = (metadata: number): number => {
      const payee = { kind: 'routeHints', ...invoice, features, routeHints: [] } as const;
      return build(route({ ...payee, paymentMetadata: new Uint8Array(metadata) })).packet.length - 66;
    };
    const most = 700 + 1000 - lengthOf(700);
    expect(lengthOf(most)).toBe(1000);
    expect(() => lengthOf(most + 1)).toThrow('needs 1001 of 1000 bytes');
  });

  it('says to an old payee’s node what it has to know of features, in eight bytes', () => {
    const long = new Uint8Array(12).fill(1);
    const { packet } = build(route({ kind: 'routeHints', ...invoice, features: long, routeHints: [] }));
    const [payload = ''] = payloadsIn(packet, [toHex(carol)]);
    expect(payload).toContain('fe0001023108' + '01'.repeat(8) + 'fe00010232');
  });

  it('is not built where it does not fit, names no way, or the dialect has none for it', () => {
    const long = {
      kind: 'routeHints',
      ...invoice,
      features,
      routeHints: [[hint]],
      paymentMetadata: new Uint8Array(850),
    } as const;
    expect(() => build(route(long))).toThrow('bytes of onion');
    const noPath = { kind: 'blindedPaths', features, paths: [] } as const;
    expect(() => build(route(noPath))).toThrow(expect.objectContaining({ code: 'NoRoute' }));
    const hints = { kind: 'routeHints', ...invoice, features, routeHints: [] } as const;
    expect(() => build(route(hints, { dialect: 'proposed' }))).toThrow('the dialect can pay such a payee');
    expect(() => build(route(hints, { trampolines: [] }))).toThrow('is paid by a trampoline node');
  });
});
