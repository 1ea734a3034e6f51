import { sat, msat, type FeeratePerKw, type Sat } from '../../../worker/engine/primitives/units.ts';
import { defaultChannelConfig, type ChannelConfig } from '../../../worker/engine/channel/channel-config.ts';
import type { ChannelEnv, ChannelFeerates } from '../../../worker/engine/channel/channel-env.ts';
import { receiveMessage, type MessageContext } from '../../../worker/engine/channel/channel-messages.ts';
import {
  acceptChannel,
  createFunding,
  openChannel,
  receiveAccept,
  receiveFundingCreated,
  receiveFundingSigned,
} from '../../../worker/engine/channel/channel-opening.ts';
import * as operation from '../../../worker/engine/channel/channel-operation.ts';
import { sendStfuIfSettled } from '../../../worker/engine/channel/channel-quiescence.ts';
import { sendReadyIfDeep } from '../../../worker/engine/channel/channel-ready.ts';
import type { OpenChannel } from '../../../worker/engine/channel/channel-state.ts';
import type { Outcome, Transition, Violation } from '../../../worker/engine/channel/transition.ts';
import type { ChannelSigner } from '../../../worker/engine/keys/channel-signer.ts';
import { insertSecret, shachainIndex, type ShachainStore } from '../../../worker/engine/keys/shachain.ts';
import { featureSet, type FeatureSet } from '../../../worker/engine/wire/features.ts';
import type { Message, MessageKind, MessageOf } from '../../../worker/engine/wire/message.ts';
import { fakeSecp256k1 } from '../../simulation/fake-secp256k1.ts';
import { SimulatedKeys } from '../../simulation/simulated-keys.ts';
import { feeratesOf } from './feerates.ts';

const UNSALTED = { channelKeysIndex: 0, commitmentSalt: new Uint8Array(0) };

const SCRIPT = Uint8Array.of(0, 20, ...new Uint8Array(20).fill(7));
const CHAIN_HASH: Uint8Array = new Uint8Array(32).fill(6);
export const FEATURES: FeatureSet = featureSet({
  option_anchors: 'optional',
  option_quiesce: 'optional',
  option_channel_type: 'compulsory',
});
const CONTEXT: MessageContext = {
  peerFeatures: FEATURES,
  trustedForZeroConf: false,
  shutdownScript: SCRIPT,
  newAlias: () => 0n,
};
const FEERATES: ChannelFeerates = feeratesOf(1000);

/** What a step of a channel needs, for one side. */
function envOf(name: string, fundingSat: bigint, config: Partial<ChannelConfig> = {}): ChannelEnv {
  return {
    secp: fakeSecp256k1,
    signer: new SimulatedKeys(fakeSecp256k1, name, SCRIPT).deriveChannelSigner(UNSALTED, fundingSat),
    counterpartySecrets: [],
    config: { ...defaultChannelConfig, ...config },
    blockHeight: 200,
    feerates: FEERATES,
  };
}

/** One side of a channel without a manager: keeps the state, and what it has to say. */
export class Party {
  state: OpenChannel;
  readonly outbox: Message[] = [];
  feerates: ChannelFeerates = FEERATES;
  /** A feerate that the other side answered with a warning. */
  refusedFeerate: FeeratePerKw | undefined;
  blockHeight: number;
  readonly #env: ChannelEnv;
  #secrets: ShachainStore = [];

  constructor(env: ChannelEnv, state: OpenChannel) {
    this.#env = env;
    this.blockHeight = env.blockHeight;
    this.state = state;
  }

  get env(): ChannelEnv {
    const { feerates, refusedFeerate, blockHeight } = this;
    return { ...this.#env, counterpartySecrets: this.#secrets, feerates, refusedFeerate, blockHeight };
  }

  get signer(): ChannelSigner {
    return this.#env.signer;
  }

  apply({ state, steps, messages }: Transition<OpenChannel>): void {
    this.state = state;
    this.outbox.push(...messages);
    for (const step of steps)
      if (step.kind === 'commitmentSecret')
        this.#secrets = insertSecret(this.#secrets, shachainIndex(step.number), step.secret) ?? [];
  }

  /** What comes of a message; a transition is applied. */
  receive(message: Message): Outcome<OpenChannel> {
    const outcome = this.#outcome(message);
    if (outcome.kind === 'transition') this.apply(outcome);
    return outcome;
  }

  /** Offers an HTLC; the code of the limit that stands against it, if any. */
  offer(amountMsat: bigint, hash = 1, cltvExpiry = 300): string | undefined {
    const terms = { paymentHash: new Uint8Array(32).fill(hash), cltvExpiry, onion: new Uint8Array(1366) };
    const offered = operation.offerHtlc(this.env, this.state, { ...terms, amountMsat: msat(amountMsat) });
    if ('code' in offered) return offered.code;
    this.apply(offered.transition);
    return undefined;
  }

  /** Signs what is unsigned, and then says the `stfu` that is due. */
  sign(): void {
    this.apply(operation.signPending(this.env, this.state));
    this.apply(sendStfuIfSettled(this.state));
  }

  /** Takes out what it has to say of one kind. */
  take<K extends MessageKind>(kind: K): MessageOf<K> {
    const at = this.outbox.findIndex((message) => message.kind === kind);
    const [message] = this.outbox.splice(at, at < 0 ? 0 : 1);
    if (message === undefined || !isOfKind(message, kind)) throw new Error(`no ${kind} was said`);
    return message;
  }

  #outcome(message: Message): Outcome<OpenChannel> {
    const outcome = receiveMessage(this.env, this.state, message, CONTEXT);
    if (outcome?.kind === 'violation') return outcome;
    if (outcome?.state.kind !== 'open') throw new Error(`${message.kind} is not for here`);
    return { ...outcome, state: outcome.state };
  }
}

export interface PairTerms {
  readonly fundingSat?: Sat;
  readonly pushMsat?: bigint;
  readonly opener?: Partial<ChannelConfig>;
  readonly fundee?: Partial<ChannelConfig>;
  readonly features?: FeatureSet;
}

/** The messages and states of an establishment up to `funding_created`. */
export function establish(terms: PairTerms = {}) {
  const { fundingSat = sat(1_000_000n), pushMsat = 400_000_000n, features = FEATURES } = terms;
  const openerEnv = envOf('opener', fundingSat, terms.opener);
  const fundeeEnv = envOf('fundee', fundingSat, terms.fundee);
  const opening = openChannel(openerEnv, {
    temporaryChannelId: new Uint8Array(32).fill(1),
    counterpartyNodeId: new Uint8Array(33).fill(2),
    counterpartyFeatures: features,
    ...UNSALTED,
    chainHash: CHAIN_HASH,
    fundingSat,
    pushMsat: msat(pushMsat),
    shutdownScript: SCRIPT,
  });
  const open = opening.messages[0] as MessageOf<'open_channel'>;
  const policy = {
    chainHash: CHAIN_HASH,
    ...UNSALTED,
    trustedForZeroConf: false,
    counterpartyFeatures: features,
    shutdownScript: SCRIPT,
  };
  const accepting = passed(acceptChannel(fundeeEnv, new Uint8Array(33).fill(3), open, policy));
  const accept = accepting.messages[0] as MessageOf<'accept_channel'>;
  return { openerEnv, fundeeEnv, opening, open, policy, accepting, accept, features };
}

/** Two sides of a channel that is ready, without HTLCs. */
export function openPair(terms: PairTerms = {}): { readonly opener: Party; readonly fundee: Party } {
  const { openerEnv, fundeeEnv, opening, accepting, accept, features } = establish(terms);
  const peer = { features, trustedForZeroConf: false };
  const funding = passed(receiveAccept(openerEnv, opening.state, accept, peer));
  const outpoint = { transaction: new Uint8Array(0), txid: new Uint8Array(32).fill(9), outputIndex: 0 };
  const created = createFunding(openerEnv, funding.state, outpoint);
  const fundingCreated = created.messages[0] as MessageOf<'funding_created'>;
  const fundeeChannel = passed(receiveFundingCreated(fundeeEnv, accepting.state, fundingCreated, 11n));
  const fundingSigned = fundeeChannel.messages[0] as MessageOf<'funding_signed'>;
  const openerChannel = passed(receiveFundingSigned(openerEnv, created.state, fundingSigned, 12n));
  const confirmed = { kind: 'confirmed', height: 100, transactionIndex: 1, transaction: new Uint8Array(0) } as const;
  const opener = new Party(openerEnv, { ...openerChannel.state, funding: confirmed });
  const fundee = new Party(fundeeEnv, { ...fundeeChannel.state, funding: confirmed });
  for (const party of [opener, fundee]) party.apply(sendReadyIfDeep(party.env, party.state));
  exchange(opener, fundee);
  return { opener, fundee };
}

/** Delivers everything and signs what is unsigned until both are silent. Throws on a violation. */
export function exchange(a: Party, b: Party): void {
  for (let round = 0; round < 50; round++) {
    a.sign();
    b.sign();
    if (a.outbox.length + b.outbox.length === 0) return;
    for (const [from, to] of [
      [a, b],
      [b, a],
    ] as const)
      for (const message of from.outbox.splice(0)) passed(to.receive(message));
  }
  throw new Error('they never stop talking');
}

/** The transition of an outcome that must be one. */
export function passed<S>(outcome: Outcome<S>): Transition<S> {
  if (outcome.kind === 'violation') throw new Error(outcome.reason);
  return outcome;
}

/** The violation of an outcome that must be one. */
export function refused<S>(outcome: Outcome<S>): Violation {
  if (outcome.kind !== 'violation') throw new Error('it was accepted');
  return outcome;
}

function isOfKind<K extends MessageKind>(message: Message, kind: K): message is Message & MessageOf<K> {
  return message.kind === kind;
}
