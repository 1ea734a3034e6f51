import type { OpenChannel } from '../../worker/engine/channel/channel-state.ts';
import { buildClosing, closingSighash } from '../../worker/engine/transactions/closing.ts';
import type { MessageOf } from '../../worker/engine/wire/message.ts';
import { fakeSecp256k1 as secp } from '../simulation/fake-secp256k1.ts';
import type { Arena } from './arena.ts';
import { openChannelOf } from './forge.ts';

export const ATTACKER_SCRIPT: Uint8Array = Uint8Array.of(0, 20, ...new Uint8Array(20).fill(9));

export const shutdown = (world: Arena, scriptpubkey: Uint8Array = ATTACKER_SCRIPT): MessageOf<'shutdown'> => ({
  kind: 'shutdown',
  channelId: openChannelOf(world).params.channelId,
  scriptpubkey,
  tlvs: {},
});

/** Whose outputs a closing transaction has. */
type Variant = 'both' | 'without ours' | 'without theirs';

const OUTPUTS = { both: 'both', 'without ours': 'counterparty', 'without theirs': 'holder' } as const;

/** A `closing_signed` of the attacker's, valid for a fee and a choice of outputs. */
export function closingSigned(
  world: Arena,
  feeSat: bigint,
  range?: readonly [minFeeSatoshis: bigint, maxFeeSatoshis: bigint],
  variant: Variant = 'both',
): MessageOf<'closing_signed'> {
  const channel = openChannelOf(world);
  const { params } = channel;
  const closing = closingOf(channel, feeSat, variant);
  const fundingSecret = params.counterparty.fundingPubkey.subarray(1);
  return {
    kind: 'closing_signed',
    channelId: params.channelId,
    feeSatoshis: feeSat,
    signature: secp.sign(closingSighash(closing, params.fundingSat), fundingSecret),
    tlvs: range === undefined ? {} : { feeRange: { minFeeSatoshis: range[0], maxFeeSatoshis: range[1] } },
  };
}

function closingOf({ params, commitments, shutdown: scripts }: OpenChannel, feeSat: bigint, variant: Variant) {
  if (scripts.kind !== 'both') throw new Error('there was no shutdown');
  const { toHolderMsat, toCounterpartyMsat } = commitments.holderCommit.spec;
  const [holderFee, counterpartyFee] = params.isOpener ? [feeSat, 0n] : [0n, feeSat];
  const [holder, counterparty] = [toHolderMsat / 1000n, toCounterpartyMsat / 1000n];
  return buildClosing({
    fundingTxid: params.fundingTxid,
    fundingOutputIndex: params.fundingOutputIndex,
    fundingSat: params.fundingSat,
    holderIsOpener: params.isOpener,
    holderFundingPubkey: params.holder.fundingPubkey,
    counterpartyFundingPubkey: params.counterparty.fundingPubkey,
    // A fee that nobody has can be named, but not signed.
    toHolderSat: holder < holderFee ? holderFee : holder,
    toCounterpartySat: counterparty < counterpartyFee ? counterpartyFee : counterparty,
    holderScript: scripts.holderScript,
    counterpartyScript: scripts.counterpartyScript,
    feeSat,
    outputs: OUTPUTS[variant],
  });
}
