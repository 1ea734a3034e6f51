import { defaultChannelConfig } from '../../worker/engine/channel/channel-config.ts';
import type { ChannelEnv } from '../../worker/engine/channel/channel-env.ts';
import {
  channelIdOf,
  createFunding,
  fundingOutputScript,
  openChannel,
  receiveAccept,
} from '../../worker/engine/channel/channel-opening.ts';
import type { AwaitingAccept, AwaitingFunding } from '../../worker/engine/channel/channel-state.ts';
import type { ChannelSigner } from '../../worker/engine/keys/channel-signer.ts';
import { msat, sat, type Sat } from '../../worker/engine/primitives/units.ts';
import type { Transaction, TransactionOutput } from '../../worker/engine/transactions/transaction.ts';
import { transactionId } from '../../worker/engine/transactions/transaction.ts';
import type { Message, MessageOf } from '../../worker/engine/wire/message.ts';
import { feeratesOf } from '../engine/channel/feerates.ts';
import { fakeSecp256k1 as secp } from '../simulation/fake-secp256k1.ts';
import { CHAIN_HASH, FEATURES } from '../simulation/node.ts';
import { SimulatedKeys } from '../simulation/simulated-keys.ts';
import type { Arena } from './arena.ts';

const UNSALTED = { channelKeysIndex: 0, commitmentSalt: new Uint8Array(0) };

const SCRIPT = Uint8Array.of(0, 20, ...new Uint8Array(20).fill(7));

/** What the attacker asks for. */
export interface RogueTerms {
  /** What its keys are made from. */
  readonly name?: string;
  readonly fundingSat?: bigint;
  readonly pushMsat?: bigint;
  readonly temporaryChannelId?: Uint8Array;
  readonly dustLimitSat?: Sat;
  readonly shutdownScript?: Uint8Array;
}

/** The attacker as the opener of a channel, without an engine: it may name any funding, with signatures that are valid. */
export class RogueOpener {
  readonly signer: ChannelSigner;
  readonly message: MessageOf<'open_channel'>;
  readonly #world: Arena;
  readonly #env: ChannelEnv;
  readonly #opening: AwaitingAccept;
  #accepted: AwaitingFunding | undefined;

  constructor(world: Arena, terms: RogueTerms = {}) {
    const { name = 'rogue', fundingSat = 100_000n, pushMsat = 0n, shutdownScript = SCRIPT } = terms;
    const { temporaryChannelId = filled(name), dustLimitSat = defaultChannelConfig.dustLimitSat } = terms;
    this.#world = world;
    this.signer = new SimulatedKeys(secp, name, SCRIPT).deriveChannelSigner(UNSALTED, fundingSat);
    this.#env = {
      secp,
      signer: this.signer,
      counterpartySecrets: [],
      config: { ...defaultChannelConfig, dustLimitSat },
      blockHeight: world.chain.height,
      feerates: feeratesOf(1000),
    };
    const opening = openChannel(this.#env, {
      temporaryChannelId,
      counterpartyNodeId: world.victim.node.keys.nodeId,
      counterpartyFeatures: FEATURES,
      ...UNSALTED,
      chainHash: CHAIN_HASH,
      fundingSat: sat(fundingSat),
      pushMsat: msat(pushMsat),
      shutdownScript,
    });
    this.#opening = opening.state;
    this.message = opening.messages[0] as MessageOf<'open_channel'>;
    world.silenced = true;
  }

  /** Sends `open_channel` and hears `accept_channel`. */
  async open(): Promise<void> {
    await this.#world.say(this.message);
    this.accepted();
  }

  /** Takes the newest `accept_channel`. */
  accepted(): void {
    const accept = this.#world.heard.findLast((message) => message.kind === 'accept_channel');
    if (accept?.kind !== 'accept_channel') throw new Error('the channel was not accepted');
    const accepted = receiveAccept(this.#env, this.#opening, accept, { features: FEATURES, trustedForZeroConf: true });
    if (accepted.kind === 'violation') throw new Error(accepted.reason);
    this.#accepted = accepted.state;
  }

  /** The output that the funding has to have. */
  get output(): TransactionOutput {
    return { amountSat: this.#awaitingFunding.fundingSat, script: fundingOutputScript(this.#awaitingFunding) };
  }

  /** `funding_created` for an outpoint, with a signature that fits it. */
  fundingCreated(txid: Uint8Array, outputIndex: number): Message {
    const funding = { transaction: new Uint8Array(0), txid, outputIndex };
    const [message] = createFunding(this.#env, this.#awaitingFunding, funding).messages;
    if (message === undefined) throw new Error('no funding_created');
    return message;
  }

  ready(txid: Uint8Array, outputIndex: number): Message {
    return {
      kind: 'channel_ready',
      channelId: channelIdOf(txid, outputIndex),
      secondPerCommitmentPoint: this.signer.perCommitmentPoint(1),
      tlvs: {},
    };
  }

  get #awaitingFunding(): AwaitingFunding {
    if (this.#accepted === undefined) throw new Error('the channel is not accepted yet');
    return this.#accepted;
  }
}

/** A transaction from nowhere with these outputs. */
export function transactionOf(outputs: readonly TransactionOutput[], inputTxid = filled('nowhere')): Transaction {
  const input = { txid: inputTxid, vout: 0, sequence: 0xffff_ffff, scriptSig: new Uint8Array(0), witness: [] };
  return { version: 2, inputs: [input], outputs, locktime: 0 };
}

/** 32 bytes that a name stands for. */
export const filled = (name: string): Uint8Array =>
  Uint8Array.from({ length: 32 }, (_, index) => name.charCodeAt(index % name.length));

/** Names a funding, has it confirmed (in the next block, or at a height) and deep, and says `channel_ready`. */
export async function fundWith(
  world: Arena,
  rogue: RogueOpener,
  transactionFor: () => Transaction,
  vout: number = 0,
  heightFor: (now: number) => number = (now) => now + 1,
): Promise<void> {
  await rogue.open();
  const transaction = transactionFor();
  const txid = transactionId(transaction);
  await world.say(rogue.fundingCreated(txid, vout));
  world.confirmForVictim(heightFor(world.chain.height), transaction);
  world.mine(8);
  await world.pump();
  await world.say(rogue.ready(txid, vout));
}
