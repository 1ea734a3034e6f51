/** The value that stands for each of BOLT 1's fundamental types. */
export interface PrimitiveValues {
  readonly u8: number;
  readonly u16: number;
  readonly u32: number;
  readonly u64: bigint;
  readonly s64: bigint;
  /** Truncated integers end their record. */
  readonly tu16: number;
  readonly tu32: number;
  readonly tu64: bigint;
  readonly bigsize: bigint;
  /** 32 bytes each. */
  readonly chainHash: Uint8Array;
  readonly channelId: Uint8Array;
  readonly sha256: Uint8Array;
  /** 33 bytes of which only the first is checked: a decoder does no curve arithmetic. */
  readonly point: Uint8Array;
  /** 64 bytes, compact. */
  readonly signature: Uint8Array;
  readonly shortChannelId: bigint;
  /** 33 bytes of a point, or 9: which end of a channel it is (0 or 1), and the channel. */
  readonly sciddirOrPubkey: Uint8Array;
  /** A u16 length and as many bytes. */
  readonly bytes: Uint8Array;
  /** A BigSize length and as many bytes: in stored records, for what can be longer than a message. */
  readonly longBytes: Uint8Array;
  /** All bytes to the end of the message or record. */
  readonly remaining: Uint8Array;
  /** A record without content: it is there or it is not. */
  readonly flag: true;
}

export type Primitive = keyof PrimitiveValues;

/** Fields in wire order. */
export type Fields = { readonly [field: string]: Schema };

/** TLV records: name to record type and content. */
export type Records = { readonly [record: string]: readonly [type: number, content: Schema] };

/**
 * What bytes mean, as data: the TypeScript type (`ValueOf`), the decoder, the encoder and the test generators are all
 * derived from one such value. Declare it with `as const`.
 */
export type Schema =
  | Primitive
  | { readonly kind: 'fixed'; readonly length: number }
  /** A count, in two bytes unless it says otherwise, and as many elements. */
  | { readonly kind: 'counted'; readonly of: Schema; readonly countedBy?: 'u8' }
  /** A fixed number of elements. */
  | { readonly kind: 'times'; readonly count: number; readonly of: Schema }
  /** Elements to the end of the message or record. */
  | { readonly kind: 'rest'; readonly of: Schema }
  | { readonly kind: 'struct'; readonly fields: Fields }
  /** A TLV stream to the end of the message or record. */
  | { readonly kind: 'tlvs'; readonly records: Records };

/** The TypeScript type of what a schema describes. */
export type ValueOf<S> = S extends Primitive
  ? PrimitiveValues[S]
  : S extends { readonly kind: 'fixed' }
    ? Uint8Array
    : S extends { readonly kind: 'counted' | 'times' | 'rest'; readonly of: infer Element }
      ? readonly ValueOf<Element>[]
      : S extends { readonly kind: 'struct'; readonly fields: infer F }
        ? StructOf<F>
        : S extends { readonly kind: 'tlvs'; readonly records: infer R }
          ? TlvsOf<R>
          : never;

export type StructOf<F> = { readonly [K in keyof F]: ValueOf<F[K]> };

export type TlvsOf<R> = {
  readonly [K in keyof R]?: R[K] extends readonly [number, infer Content] ? ValueOf<Content> : never;
};
