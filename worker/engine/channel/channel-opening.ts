import { toHex } from '../primitives/bytes.ts';
import { feeratePerKw, MAX_SAT, msat, sat, type FeeratePerKw, type Msat, type Sat } from '../primitives/units.ts';
import type { MonitorStep } from '../monitor/monitor-update.ts';
import type { ChannelKeysId, ChannelParameters, PartyTerms } from '../transactions/channel-parameters.ts';
import { fundingScript, type CommitmentFormat } from '../transactions/channel-scripts.ts';
import { openerCostSat } from '../transactions/commitment-fees.ts';
import type { CommitmentSpec } from '../transactions/commitment-spec.ts';
import { p2wsh } from '../transactions/script.ts';
import { hasFeature, type FeatureSet } from '../wire/features.ts';
import type { MessageOf } from '../wire/message.ts';
import type { ChannelConfig } from './channel-config.ts';
import type { ChannelEnv } from './channel-env.ts';
import type {
  AwaitingAccept,
  AwaitingFunding,
  AwaitingFundingCreated,
  AwaitingFundingSigned,
  OpenChannel,
} from './channel-state.ts';
import {
  counterpartyTerms,
  holderBalances,
  holderTerms,
  isTooLarge,
  readChannelType,
  shutdownFeatures,
  termsFields,
  writeChannelType,
  type ChannelTypeMeaning,
} from './channel-terms.ts';
import { checkHolderSignatures, signCounterpartyCommitment } from './commitment-signatures.ts';
import { initialCommitments } from './commitments.ts';
import { transition, violation, type Outcome, type Transition } from './transition.ts';

/** What a person, or the manager for them, decides about a channel that we open. */
export interface OpenRequest extends ChannelKeysId {
  readonly temporaryChannelId: Uint8Array;
  readonly counterpartyNodeId: Uint8Array;
  readonly counterpartyFeatures: FeatureSet;
  readonly chainHash: Uint8Array;
  readonly fundingSat: Sat;
  readonly pushMsat: Msat;
  readonly shutdownScript: Uint8Array;
}

/** Anchors where the peer has them. */
export const formatFor = (features: FeatureSet): CommitmentFormat =>
  hasFeature(features, 'option_anchors') ? 'anchors' : 'static_remotekey';

/**
 * The least that an opener must have in a new channel, in satoshi: the fee of its first commitment, which the fundee refuses
 * otherwise (BOLT 2, The open_channel Message), and the reserve, taken for ours as long as the peer has not named its own.
 * With less, all of its money would be fee and reserve, and none could be sent.
 */
export const leastOpenerSat = (
  config: ChannelConfig,
  { format, fundingSat, feeratePerKw: feerate }: Pick<AwaitingAccept, 'format' | 'fundingSat' | 'feeratePerKw'>,
): bigint => openerCostSat(format, feerate, 0) + holderBalances(config, fundingSat).channelReserveSat;

/** `open_channel`: always private, anchors where the peer has them, an scid alias where it has those. */
export function openChannel(env: ChannelEnv, request: OpenRequest): Transition<AwaitingAccept> {
  const { counterpartyFeatures, fundingSat, pushMsat } = request;
  const format = formatFor(counterpartyFeatures);
  const scidAlias = hasFeature(counterpartyFeatures, 'option_scid_alias');
  const channelType = writeChannelType({ format, scidAlias, zeroConf: false });
  const upfront = hasFeature(counterpartyFeatures, 'option_upfront_shutdown_script');
  const state: AwaitingAccept = {
    kind: 'awaitingAccept',
    temporaryChannelId: request.temporaryChannelId,
    counterpartyNodeId: request.counterpartyNodeId,
    channelKeysIndex: request.channelKeysIndex,
    commitmentSalt: request.commitmentSalt,
    format,
    channelType,
    fundingSat,
    pushMsat,
    feeratePerKw: env.feerates.commitment[format].target,
    isRepeated: false,
    holder: holderTerms(
      env.config,
      env.signer.pubkeys,
      fundingSat,
      upfront ? request.shutdownScript : new Uint8Array(0),
    ),
  };
  return transition(state, { messages: [openMessage(env, state, request.chainHash)] });
}

/**
 * The same `open_channel` at a higher feerate, for a counterparty that found it too low; `undefined` where it was asked
 * already, or where too little would be left to us. It has kept nothing of the first one, so that its id and keys may be used
 * again.
 */
export function openAtHigherFeerate(
  env: ChannelEnv,
  state: AwaitingAccept,
  chainHash: Uint8Array,
): Transition<AwaitingAccept> | undefined {
  const { maximum, commitment } = env.feerates;
  const higher = Math.min(Math.max(2 * state.feeratePerKw, commitment.static_remotekey.target), maximum);
  if (state.isRepeated || higher <= state.feeratePerKw) return undefined;
  const repeated: AwaitingAccept = { ...state, feeratePerKw: feeratePerKw(higher), isRepeated: true };
  if (state.fundingSat * 1000n - state.pushMsat < leastOpenerSat(env.config, repeated) * 1000n) return undefined;
  return transition(repeated, { messages: [openMessage(env, repeated, chainHash)] });
}

function openMessage(env: ChannelEnv, state: AwaitingAccept, chainHash: Uint8Array): MessageOf<'open_channel'> {
  const { temporaryChannelId, fundingSat, pushMsat, holder, channelType } = state;
  return {
    kind: 'open_channel',
    chainHash,
    temporaryChannelId,
    fundingSatoshis: fundingSat,
    pushMsat,
    feeratePerKw: state.feeratePerKw,
    ...termsFields(holder),
    firstPerCommitmentPoint: env.signer.perCommitmentPoint(0),
    channelFlags: 0,
    tlvs: { upfrontShutdownScript: holder.upfrontShutdownScript, channelType },
  };
}

/** By what an `open_channel` is judged, and what our answer to it says. */
export interface AcceptPolicy extends ChannelKeysId {
  readonly chainHash: Uint8Array;
  /** Whether the channel may be used before its funding confirms: its opener could double-spend that. */
  readonly trustedForZeroConf: boolean;
  readonly counterpartyFeatures: FeatureSet;
  readonly shutdownScript: Uint8Array;
}

/** An `open_channel` that we would take. */
interface CheckedOpen {
  readonly type: ChannelTypeMeaning;
  readonly channelType: Uint8Array;
  readonly fundingSat: Sat;
  readonly pushMsat: Msat;
  readonly feeratePerKw: FeeratePerKw;
  readonly counterparty: PartyTerms;
}

/** Reads the counterparty's `open_channel`, or says why it is refused. It needs no keys of ours: to refuse costs nothing. */
export function checkOpen(
  env: Pick<ChannelEnv, 'secp' | 'config' | 'feerates'>,
  message: MessageOf<'open_channel'>,
  policy: Omit<AcceptPolicy, keyof ChannelKeysId | 'shutdownScript'>,
): CheckedOpen | string {
  const { channelType } = message.tlvs;
  if (toHex(message.chainHash) !== toHex(policy.chainHash)) return 'the channel is for another chain';
  if (channelType === undefined) return 'channel_type is missing';
  const type = readChannelType(channelType);
  if (type === undefined) return 'the channel_type is not supported';
  if (type.zeroConf && !policy.trustedForZeroConf) return 'zero-conf channels only from configured peers';
  const wrong = wrongOffer(env, message, type.format, policy.counterpartyFeatures);
  if (wrong !== undefined) return wrong;
  const fundingSat = sat(message.fundingSatoshis);
  const holder = holderBalances(env.config, fundingSat);
  const features = shutdownFeatures(policy.counterpartyFeatures);
  const counterparty = counterpartyTerms(env.config, env.secp.isPoint, holder, message, fundingSat, features);
  if (typeof counterparty === 'string') return counterparty;
  const openerSat = fundingSat - message.pushMsat / 1000n;
  if (openerSat < openerCostSat(type.format, message.feeratePerKw, 0)) return 'the opener cannot pay the fee';
  if (openerSat <= holder.channelReserveSat && message.pushMsat / 1000n <= counterparty.channelReserveSat)
    return 'both sides would start below their reserve';
  const feerate = feeratePerKw(message.feeratePerKw);
  return { type, channelType, fundingSat, pushMsat: msat(message.pushMsat), feeratePerKw: feerate, counterparty };
}

function wrongOffer(
  { config, feerates }: Pick<ChannelEnv, 'config' | 'feerates'>,
  { fundingSatoshis, pushMsat, feeratePerKw: feerate }: MessageOf<'open_channel'>,
  format: CommitmentFormat,
  features: FeatureSet,
): string | undefined {
  if (fundingSatoshis < config.minimumFundingSat)
    return `channels of less than ${config.minimumFundingSat} sat are not accepted`;
  if (fundingSatoshis > MAX_SAT) return 'funding_satoshis is more than there is';
  if (isTooLarge(fundingSatoshis, features)) return 'funding_satoshis is too large';
  if (pushMsat > fundingSatoshis * 1000n) return 'push_msat is above funding_satoshis';
  if (feerate > feerates.maximum) return 'feerate_per_kw is unreasonably high';
  const { minimum } = feerates.commitment[format];
  if (feerate < minimum) return `feerate_per_kw ${feerate} is below ${minimum}`;
  return undefined;
}

/** The answer to the counterparty's `open_channel`. */
export function acceptChannel(
  env: ChannelEnv,
  counterpartyNodeId: Uint8Array,
  message: MessageOf<'open_channel'>,
  policy: AcceptPolicy,
): Outcome<AwaitingFundingCreated> {
  const checked = checkOpen(env, message, policy);
  if (typeof checked === 'string') return violation('fail', checked);
  const { type, ...terms } = checked;
  const upfront = hasFeature(policy.counterpartyFeatures, 'option_upfront_shutdown_script');
  const upfrontScript = upfront ? policy.shutdownScript : new Uint8Array(0);
  const holder = holderTerms(env.config, env.signer.pubkeys, terms.fundingSat, upfrontScript);
  // Also without option_zeroconf in the type: LDK does not ask for it, and takes the depth that the accepter names.
  const minimumDepth = policy.trustedForZeroConf ? 0 : env.config.minimumDepth;
  const state: AwaitingFundingCreated = {
    kind: 'awaitingFundingCreated',
    temporaryChannelId: message.temporaryChannelId,
    counterpartyNodeId,
    channelKeysIndex: policy.channelKeysIndex,
    commitmentSalt: policy.commitmentSalt,
    format: type.format,
    ...terms,
    holder,
    firstPerCommitmentPoint: message.firstPerCommitmentPoint,
    minimumDepth,
  };
  const accept: MessageOf<'accept_channel'> = {
    kind: 'accept_channel',
    temporaryChannelId: message.temporaryChannelId,
    ...termsFields(holder),
    minimumDepth,
    firstPerCommitmentPoint: env.signer.perCommitmentPoint(0),
    tlvs: { upfrontShutdownScript: holder.upfrontShutdownScript, channelType: terms.channelType },
  };
  return transition(state, { messages: [accept] });
}

/** `accept_channel`: the wallet is asked for the funding transaction next. */
export function receiveAccept(
  env: ChannelEnv,
  state: AwaitingAccept,
  message: MessageOf<'accept_channel'>,
  peer: { readonly features: FeatureSet; readonly trustedForZeroConf: boolean },
): Outcome<AwaitingFunding> {
  const type = message.tlvs.channelType;
  if (type === undefined || toHex(type) !== toHex(state.channelType))
    return violation('fail', 'accept_channel has another channel_type');
  const { fundingSat, holder } = state;
  const features = shutdownFeatures(peer.features);
  const counterparty = counterpartyTerms(env.config, env.secp.isPoint, holder, message, fundingSat, features);
  if (typeof counterparty === 'string') return violation('fail', counterparty);
  if (message.minimumDepth > 144) return violation('fail', 'minimum_depth is unreasonably large');
  return transition({
    ...state,
    kind: 'awaitingFunding',
    counterparty,
    firstPerCommitmentPoint: message.firstPerCommitmentPoint,
    minimumDepth: peer.trustedForZeroConf ? message.minimumDepth : Math.max(1, message.minimumDepth),
  });
}

/** The output that the funding transaction must have. */
export const fundingOutputScript = ({ holder, counterparty }: AwaitingFunding): Uint8Array =>
  p2wsh(fundingScript(holder.fundingPubkey, counterparty.fundingPubkey));

/** `funding_created` for a transaction that the wallet signed; it stays here until the counterparty has signed too. */
export function createFunding(
  env: ChannelEnv,
  state: AwaitingFunding,
  funding: { readonly transaction: Uint8Array; readonly txid: Uint8Array; readonly outputIndex: number },
): Transition<AwaitingFundingSigned> {
  const params = channelParameters(state, true, funding.txid, funding.outputIndex);
  const spec = initialSpec(state, true);
  const commitments = initialCommitments(spec, state.firstPerCommitmentPoint);
  const { signature } = signCounterpartyCommitment(env, params, commitments.counterpartyCommit);
  const { temporaryChannelId } = state;
  return transition(
    {
      kind: 'awaitingFundingSigned',
      temporaryChannelId,
      params,
      commitments,
      fundingTransaction: funding.transaction,
    },
    {
      messages: [
        {
          kind: 'funding_created',
          temporaryChannelId,
          fundingTxid: funding.txid,
          fundingOutputIndex: funding.outputIndex,
          signature,
          tlvs: {},
        },
      ],
    },
  );
}

/** `funding_created`: our signature for the counterparty's first commitment, once ours is there and valid. */
export function receiveFundingCreated(
  env: ChannelEnv,
  state: AwaitingFundingCreated,
  message: MessageOf<'funding_created'>,
  holderAlias: bigint,
): Outcome<OpenChannel> {
  if (message.fundingTxid.every((byte) => byte === 0)) return violation('fail', 'funding_txid is all zeros');
  const params = channelParameters(state, false, message.fundingTxid, message.fundingOutputIndex);
  const commitments = initialCommitments(initialSpec(state, false), state.firstPerCommitmentPoint);
  const invalid = checkFirstCommitment(env, params, commitments.holderCommit.spec, message.signature);
  if (invalid !== undefined) return violation('fail', invalid);
  const { signature } = signCounterpartyCommitment(env, params, commitments.counterpartyCommit);
  const channel = newChannel(params, commitments, new Uint8Array(0), holderAlias, env.blockHeight);
  return transition(channel, {
    steps: firstSteps(channel, message.signature),
    messages: [{ kind: 'funding_signed', channelId: params.channelId, signature, tlvs: {} }],
  });
}

/** `funding_signed`: now, and once it is durable, the funding transaction may be broadcast. */
export function receiveFundingSigned(
  env: ChannelEnv,
  { params, commitments, fundingTransaction }: AwaitingFundingSigned,
  message: MessageOf<'funding_signed'>,
  holderAlias: bigint,
): Outcome<OpenChannel> {
  const invalid = checkFirstCommitment(env, params, commitments.holderCommit.spec, message.signature);
  if (invalid !== undefined) return violation('fail', invalid);
  const channel = newChannel(params, commitments, fundingTransaction, holderAlias, env.blockHeight);
  return transition(channel, {
    steps: firstSteps(channel, message.signature),
    facts: [{ kind: 'fundingSigned' }],
  });
}

/** BOLT 2: the `channel_id` is the funding txid with its last two bytes xored with the output index. */
export function channelIdOf(fundingTxid: Uint8Array, fundingOutputIndex: number): Uint8Array {
  const id = Uint8Array.from(fundingTxid);
  id[30] = (id[30] ?? 0) ^ (fundingOutputIndex >> 8);
  id[31] = (id[31] ?? 0) ^ (fundingOutputIndex & 0xff);
  return id;
}

function newChannel(
  params: ChannelParameters,
  commitments: OpenChannel['commitments'],
  transaction: Uint8Array,
  holderAlias: bigint,
  beganAtHeight: number,
): OpenChannel {
  return {
    kind: 'open',
    params,
    commitments,
    funding: { kind: 'unconfirmed', transaction },
    holderReadySent: false,
    counterpartyReady: false,
    holderAlias,
    counterpartyAlias: 0n,
    shutdown: { kind: 'none' },
    quiescence: { kind: 'none' },
    beganAtHeight,
  };
}

const firstSteps = ({ commitments }: OpenChannel, signature: Uint8Array): readonly MonitorStep[] => [
  { kind: 'latestCounterpartyCommitment', ...commitments.counterpartyCommit },
  { kind: 'latestHolderCommitment', ...commitments.holderCommit, signature, htlcSignatures: [] },
];

const checkFirstCommitment = (
  env: ChannelEnv,
  params: ChannelParameters,
  spec: CommitmentSpec,
  signature: Uint8Array,
): string | undefined =>
  checkHolderSignatures(
    env,
    params,
    { number: 0, spec, perCommitmentPoint: env.signer.perCommitmentPoint(0) },
    { signature, htlcSignatures: [] },
  );

function channelParameters(
  state: AwaitingFunding | AwaitingFundingCreated,
  isOpener: boolean,
  fundingTxid: Uint8Array,
  fundingOutputIndex: number,
): ChannelParameters {
  return {
    channelId: channelIdOf(fundingTxid, fundingOutputIndex),
    counterpartyNodeId: state.counterpartyNodeId,
    channelKeysIndex: state.channelKeysIndex,
    commitmentSalt: state.commitmentSalt,
    isOpener,
    format: state.format,
    channelType: state.channelType,
    fundingSat: state.fundingSat,
    fundingTxid,
    fundingOutputIndex,
    holder: state.holder,
    counterparty: state.counterparty,
    minimumDepth: state.minimumDepth,
  };
}

function initialSpec(
  state: { readonly fundingSat: Sat; readonly pushMsat: Msat; readonly feeratePerKw: FeeratePerKw },
  isOpener: boolean,
): CommitmentSpec {
  const openerMsat = msat(state.fundingSat * 1000n - state.pushMsat);
  return {
    feeratePerKw: state.feeratePerKw,
    toHolderMsat: isOpener ? openerMsat : state.pushMsat,
    toCounterpartyMsat: isOpener ? state.pushMsat : openerMsat,
    htlcs: [],
  };
}
