import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../../../worker/engine/primitives/bytes.ts';
import { sha256 } from '../../../../worker/engine/primitives/hash.ts';
import { nobleSecp256k1 as secp } from '../../../../worker/engine/primitives/secp256k1.ts';
import { failureCode } from '../../../../worker/engine/onion/failure-message.ts';
import type { TrampolineEntry } from '../../../../worker/engine/onion/hop-instruction.ts';
import { unblind } from '../../../../worker/engine/onion/route-blinding.ts';
import { buildOnion } from '../../../../worker/engine/onion/sphinx.ts';
import deployed from '../../../vectors/trampoline-deployed.json' with { type: 'json' };
import proposed from '../../../vectors/trampoline-proposed.json' with { type: 'json' };
import { ecdhWith, withPlaintext } from '../fixtures.ts';
import { entryOf, nodeSecrets, peeledBy, readBy, secretOf } from './fixtures.ts';

const paymentHash = fromHex('42'.repeat(32));
const amounts = { amtToForward: 100_000_000n, outgoingCltvValue: 800_000 };
const paymentSecret = fromHex(deployed.invoiceSecret);
const eve = secp.publicKey(nodeSecrets.eve);
const kindOf = (name: string) =>
  /to-trampoline-peer/.test(name) ? 'receive' : /to-(non|blinded)/.test(name) ? 'relayToRecipient' : 'relay';

describe('what is deployed', () => {
  it.each(deployed.cases)('$name is read by the trampoline node', (vector) => {
    const { instruction, sharedSecret } = readBy(secretOf(vector.outerNode), entryOf(vector.outerPayload), paymentHash);
    expect(instruction.kind).toBe(kindOf(vector.name));
    expect(toHex(sharedSecret ?? new Uint8Array(0))).toBe(vector.trampolineSharedSecrets[0]);
    if (instruction.kind !== 'relay') return;
    expect(toHex(instruction.nextPacket)).toBe(vector.trampolineNextPackets[0]);
    expect(toHex(instruction.outgoingNodeId)).toBe(vector.forwarded?.to);
    expect(instruction.amtToForward).toBe(BigInt(vector.forwarded?.htlc.amountMsat ?? 0));
    expect(instruction.outgoingCltvValue).toBe(vector.forwarded?.htlc.cltvExpiry);
  });

  it.each(deployed.cases.filter(({ forwarded }) => forwarded !== undefined))(
    '$name is read by the next one',
    (vector) => {
      const { forwarded, trampolineHops } = vector;
      const { payload } = peeledBy(secretOf(forwarded?.to ?? ''), fromHex(forwarded?.packet ?? ''), paymentHash);
      const entry = entryOf(toHex(Uint8Array.of(0xfd, payload.length >> 8, payload.length & 255, ...payload)));
      const { instruction, sharedSecret } = readBy(secretOf(forwarded?.to ?? ''), entry, paymentHash);
      expect(toHex(sharedSecret ?? new Uint8Array(0))).toBe(vector.trampolineSharedSecrets[1]);
      expect(instruction.kind).toBe(trampolineHops.length === 3 ? 'relay' : 'receive');
      if (instruction.kind === 'receive') expect(instruction).toMatchObject({ paymentSecret, totalMsat: 100_000_000n });
    },
  );

  it.each(['electrum', 'kmp', 'eclair'])('is a payment to somebody without trampoline, as of %s', (name) => {
    const vector = deployed.cases.find((each) => each.name === `${name}-to-non-trampoline-recipient`);
    const { instruction } = readBy(nodeSecrets.carol, entryOf(vector?.outerPayload ?? ''), paymentHash);
    expect(instruction).toEqual({
      kind: 'relayToRecipient',
      ...amounts,
      recipient: {
        kind: 'routeHints',
        nodeId: eve,
        paymentSecret,
        totalMsat: 100_000_000n,
        features: fromHex('024100'),
        routeHints: [[expect.objectContaining({ feeBaseMsat: 1000, cltvExpiryDelta: 144 })]],
        ...(name === 'electrum' ? {} : { paymentMetadata: fromHex('010203') }),
      },
    });
  });

  it.each(deployed.badOnions)('is a bad onion with $failureCode', (bad) => {
    const packet = fromHex(bad.packet);
    const entry: TrampolineEntry = { kind: 'trampoline', dialect: 'deployed', packet, ...amounts, totalMsat: 1n };
    const reading = readBy(fromHex(bad.nodeSecret), entry, fromHex(bad.associatedData));
    expect(reading.sharedSecret).toBeUndefined();
    const failure = reading.instruction.kind === 'fail' ? reading.instruction.failure : undefined;
    expect(failure && failureCode(failure).toString(16)).toBe(bad.failureCode);
    expect(failure).toMatchObject({ sha256OfOnion: sha256(packet) });
  });
});

describe('an onion that is whole, with nothing that could be a payload', () => {
  it('fails under its own layer', () => {
    const hops = [{ nodeId: secp.publicKey(nodeSecrets.carol), payload: new Uint8Array(40) }];
    const { packet, sharedSecrets } = buildOnion(secp, {
      sessionKey: nodeSecrets.bob,
      hops,
      associatedData: paymentHash,
    });
    const [sharedSecret = new Uint8Array(0)] = sharedSecrets;
    const forged = withPlaintext(packet, { sharedSecret, associatedData: paymentHash }, Uint8Array.of(0));
    const entry = {
      kind: 'trampoline',
      dialect: 'deployed',
      packet: forged,
      ...amounts,
      totalMsat: 100_000_000n,
    } as const;
    const failure = { kind: 'invalid_onion_payload', type: 0n, offset: 0 };
    expect(readBy(nodeSecrets.carol, entry, paymentHash)).toEqual({
      sharedSecret,
      instruction: { kind: 'fail', failure },
    });
  });
});

describe('BOLT proposal 836', () => {
  const { generateAlice, decryptCarol } = proposed.payment;

  it('is read by the trampoline node and the payee', () => {
    const byCarol = readBy(nodeSecrets.carol, entryOf(generateAlice.hops[1]?.payload.hex ?? ''), paymentHash);
    const nextPacket = fromHex(decryptCarol.nextTrampolineOnion);
    expect(byCarol.instruction).toEqual({ kind: 'relay', ...amounts, outgoingNodeId: eve, nextPacket });
    const byEve = readBy(nodeSecrets.eve, entryOf(proposed.payment.decryptEve.decryptedPayload), paymentHash);
    expect(byEve.instruction).toEqual({ kind: 'receive', ...amounts, paymentSecret, totalMsat: 100_000_000n });
  });

  it('names blinded paths to a payee without trampoline', () => {
    const { generatePaymentOnion, generateBlindedPathEve } = proposed.toBlindedPaths;
    const entry = entryOf(generatePaymentOnion.hops[1]?.encodedTlvs ?? '');
    const { instruction } = readBy(nodeSecrets.carol, entry, fromHex(generatePaymentOnion.associatedData));
    if (instruction.kind !== 'relayToRecipient') throw new Error(instruction.kind);
    expect(instruction).toMatchObject({ amtToForward: 150_000_000n, outgoingCltvValue: 800_000 });
    const { recipient } = instruction;
    expect(recipient).toMatchObject({ kind: 'blindedPaths', features: fromHex('020000') });
    const paths = recipient.kind === 'blindedPaths' ? recipient.paths : [];
    expect(paths.map(({ firstPathKey }) => toHex(firstPathKey))).toEqual([generateBlindedPathEve.pathKey]);
  });

  it('takes trampoline nodes of a blinded path to a payee', () => {
    const { generatePaymentOnion, relayPaymentCarol, relayPaymentDave, generateBlindedPathEve } =
      proposed.toBlindedTrampoline;
    const hash = fromHex(generatePaymentOnion.associatedData);
    const carol = readBy(nodeSecrets.carol, entryOf(generatePaymentOnion.hops[1]?.encodedTlvs ?? ''), hash);
    expect(carol.instruction).toMatchObject({ kind: 'relay', outgoingNodeId: secp.publicKey(nodeSecrets.dave) });
    const dave = readBy(nodeSecrets.dave, entryOf(relayPaymentCarol.hops[0]?.encodedTlvs ?? ''), hash);
    if (dave.instruction.kind !== 'blindedRelay') throw new Error(dave.instruction.kind);
    const { pathKey, encryptedRecipientData, nextPacket } = dave.instruction;
    const unblinded = unblind(secp, ecdhWith(nodeSecrets.dave), pathKey, encryptedRecipientData);
    expect(unblinded?.data.nextNodeId).toEqual(eve);
    const entry = entryOf(relayPaymentDave.hops[0]?.encodedTlvs ?? '');
    expect([entry.packet, entry.pathKey]).toEqual([nextPacket, unblinded?.nextPathKey]);
    const received = {
      kind: 'blindedReceive',
      amtToForward: 150_000_000n,
      outgoingCltvValue: 800_000,
      totalAmountMsat: 150_000_000n,
    };
    expect(readBy(nodeSecrets.eve, entry, hash).instruction).toEqual({
      ...received,
      pathKey: unblinded?.nextPathKey,
      encryptedRecipientData: fromHex(generateBlindedPathEve.hops[1]?.encryptedData ?? ''),
    });
  });

  it('says no more than invalid_onion_blinding behind the first node of a blinded path', () => {
    const { relayPaymentDave, generatePaymentOnion } = proposed.toBlindedTrampoline;
    const entry = entryOf(relayPaymentDave.hops[0]?.encodedTlvs ?? '');
    const hash = fromHex(generatePaymentOnion.associatedData);
    const failure = { kind: 'invalid_onion_blinding', sha256OfOnion: sha256(entry.packet) };
    const wrong = [
      readBy(nodeSecrets.eve, entry, paymentHash),
      readBy(nodeSecrets.dave, entry, hash),
      readBy(nodeSecrets.eve, entry, hash, { amountMsat: 1n }),
      readBy(nodeSecrets.eve, { ...entry, totalMsat: 149_999_999n }, hash),
      readBy(nodeSecrets.eve, { ...entry, outgoingCltvValue: 799_999 }, hash),
      readBy(nodeSecrets.eve, { ...entry, pathKey: new Uint8Array(33) }, hash),
    ];
    for (const { instruction } of wrong) expect(instruction).toEqual({ kind: 'fail', failure });
  });
});

describe('an HTLC with less than the outer onion promises', () => {
  it('fails with that, and one with more does not', () => {
    const whole = entryOf(deployed.cases[0]?.outerPayload ?? '');
    const less = readBy(nodeSecrets.carol, whole, paymentHash, { amountMsat: whole.amtToForward - 1n });
    const failure = { kind: 'final_incorrect_htlc_amount', incomingHtlcAmt: whole.amtToForward - 1n };
    expect(less).toEqual({ instruction: { kind: 'fail', failure } });
    const cltvExpiry = whole.outgoingCltvValue - 1;
    const sooner = readBy(nodeSecrets.carol, whole, paymentHash, { cltvExpiry });
    expect(sooner).toEqual({
      instruction: { kind: 'fail', failure: { kind: 'final_incorrect_cltv_expiry', cltvExpiry } },
    });
    const more = readBy(nodeSecrets.carol, whole, paymentHash, {
      amountMsat: whole.amtToForward + 1n,
      cltvExpiry: cltvExpiry + 9,
    });
    expect(more.instruction.kind).toBe('relay');
  });
});
