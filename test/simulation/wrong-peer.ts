import { fromHex } from '../../worker/engine/primitives/bytes.ts';
import type { WireValue } from '../../worker/engine/wire/codec.ts';
import type { Message, MessageKind } from '../../worker/engine/wire/message.ts';
import type { Schema } from '../../worker/engine/wire/schema.ts';
import { lengthOf, type Vocabulary } from './extremes.ts';
import type { Fault } from './faults.ts';
import { fieldsOf } from './fields.ts';
import type { BuildFunding } from './node.ts';
import type { Side } from './side.ts';
import { changed, madeUp, type Tampering } from './tampering.ts';
import type { SideName } from './world-start.ts';

/** How a channel is funded that is not what it was said to be: nobody but the chain can tell. */
export const FUNDING_LIES = ['lessMoney', 'otherOutput', 'otherTransaction'] as const;
export type FundingLie = (typeof FUNDING_LIES)[number];

/** Values of one type that are remembered: the newest. */
const MEMORY = 24;

/** An honest engine whose messages are changed on their way out, by one that has heard everything that was said to it. */
export class WrongPeer implements Fault, Vocabulary {
  readonly name = 'a wrong peer';
  readonly wrongSide: SideName;
  channelIds: readonly Uint8Array[] = [];
  readonly #memory = new Map<string, readonly WireValue[]>();
  #prepared: readonly { readonly of: MessageKind | 'any'; readonly how: Tampering }[] = [];
  #held: readonly Message[] = [];
  #lie: FundingLie | undefined;
  /** Outpoints of channels that it knows of. */
  #fundings: readonly { readonly txid: Uint8Array; readonly outputIndex: number }[] = [];

  constructor(wrongSide: SideName) {
    this.wrongSide = wrongSide;
  }

  /** Waits for the next message of a kind that would leave. */
  prepare(of: MessageKind | 'any', how: Tampering): void {
    this.#prepared = [...this.#prepared, { of, how }];
  }

  /** From now on it is honest. */
  stop(): void {
    this.#prepared = [];
    this.#lie = undefined;
  }

  /** The next channel that it opens is funded otherwise than it says. */
  lieAboutFunding(lie: FundingLie): void {
    this.#lie = lie;
  }

  readonly buildFunding = (build: BuildFunding): BuildFunding => {
    return (output, terms) => {
      const lie = this.#lie;
      this.#lie = undefined;
      const paid = lie === 'lessMoney' ? { ...output, amountSat: output.amountSat / 10n } : output;
      const built = build(paid, terms);
      if (lie === 'otherOutput') return { ...built, outputIndex: built.outputIndex + 1 };
      const known = this.#fundings.at(-1);
      return lie === 'otherTransaction' && known !== undefined ? { ...built, ...known } : built;
    };
  };

  /** A message that no engine has made. */
  say(kind: MessageKind, seed: number): Message {
    return madeUp(kind, seed, this);
  }

  remembered(schema: Schema): readonly WireValue[] {
    return this.#memory.get(typeName(schema)) ?? [];
  }

  leaving(message: Message, from: Side, to: Side): readonly Message[] {
    if (from.name !== this.wrongSide && to.name !== this.wrongSide) return [message];
    this.#learn(message, from.name === this.wrongSide ? to : from);
    if (from.name !== this.wrongSide) return [message];
    const tampering = this.#prepared.find(({ of }) => of === 'any' || of === message.kind);
    this.#prepared = this.#prepared.filter((each) => each !== tampering);
    const held = this.#held;
    this.#held = [];
    return [...this.#tampered(message, tampering?.how), ...held];
  }

  #tampered(message: Message, tampering: Tampering | undefined): readonly Message[] {
    switch (tampering?.kind) {
      case undefined:
        return [message];
      case 'change':
        return [changed(message, tampering, this)];
      case 'leaveOut':
        return [];
      case 'repeat':
        return Array.from({ length: tampering.times }, () => message);
      case 'hold':
        this.#held = [message];
        return [];
      case 'replace':
        return [madeUp(tampering.by, tampering.seed, this)];
      default:
        return tampering satisfies never;
    }
  }

  /** Ids of channels of the victim with others are guessed right: they are no secrets. */
  #learn(message: Message, victim: Side): void {
    const channels = victim.node.manager.channels();
    this.channelIds = channels.map(({ key }) => fromHex(key));
    this.#fundings = channels.flatMap(({ state }) =>
      'params' in state ? [{ txid: state.params.fundingTxid, outputIndex: state.params.fundingOutputIndex }] : [],
    );
    for (const { schema, value } of fieldsOf(message)) {
      if (value === undefined) continue;
      const name = typeName(schema);
      this.#memory.set(name, [...(this.#memory.get(name) ?? []), value].slice(-MEMORY));
    }
  }
}

/** Hashes, ids and secrets are all 32 bytes, and each may be taken for another. */
function typeName(schema: Schema): string {
  const length = lengthOf(schema);
  if (length === 32) return '32 bytes';
  return typeof schema === 'string' ? schema : JSON.stringify(schema);
}
