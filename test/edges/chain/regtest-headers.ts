import { decodeHeader, hasProofOfWork, type BlockHeader } from '../../../worker/edges/chain/block-header.ts';
import { CHAIN_PARAMETERS } from '../../../worker/edges/chain/chain-parameters.ts';
import { HeaderChain } from '../../../worker/edges/chain/header-chain.ts';
import { OldHeaders } from '../../../worker/edges/chain/old-headers.ts';
import { concat, fromHex, reversed, toHex } from '../../../worker/engine/primitives/bytes.ts';
import type { Answer } from './fake-platform.ts';

export const REGTEST_BITS = 0x207fffff;

const GENESIS = fromHex(
  '0100000000000000000000000000000000000000000000000000000000000000000000003ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4adae5494dffff7f2002000000',
);

/** A chain of regtest's rules: of one header, the genesis block's if no other is given. */
export const regtestChain = (header: Uint8Array = GENESIS, height: number = 0): HeaderChain =>
  HeaderChain.from(CHAIN_PARAMETERS.regtest.rules, { height, headers: [header] });

/** Of a chain that begins with its genesis block. */
export const noOldHeaders = (): OldHeaders => new OldHeaders(() => Promise.resolve(new Uint8Array(0)));

interface HeaderShape {
  readonly bits?: number;
  readonly time?: number;
  /** Another one, another block. */
  readonly salt?: number;
  /** Without proof of work. */
  readonly unproven?: boolean;
}

/** A header on top of another, ten minutes later. */
export function headerOn(previous: BlockHeader, shape: HeaderShape = {}): BlockHeader {
  const { bits = REGTEST_BITS, time = previous.time + 600, salt = 0, unproven = false } = shape;
  for (let nonce = 0; ; nonce++) {
    const back = new Uint8Array(12);
    const view = new DataView(back.buffer);
    [time, bits, nonce].forEach((value, index) => view.setUint32(index * 4, value, true));
    const root = new Uint8Array(32).fill(salt);
    const header = decodeHeader(concat(new Uint8Array(4), reversed(fromHex(previous.hash)), root, back));
    if (header && hasProofOfWork(header) === !unproven) return header;
  }
}

/** So many headers on top of another. */
export function headersOn(parent: BlockHeader, count: number, shape: HeaderShape = {}): BlockHeader[] {
  const headers: BlockHeader[] = [];
  for (let at = parent; headers.length < count;) headers.push((at = headerOn(at, shape)));
  return headers;
}

/** An Esplora server as far as headers go: the first is at `lowest`, and there are `page` of them on a page. */
export class HeaderServer {
  headers: readonly BlockHeader[];
  readonly lowest: number;
  readonly page: number;
  /** The paths that were asked for. */
  readonly asked: string[] = [];

  constructor(headers: readonly BlockHeader[], { lowest = 0, page = 10 } = {}) {
    this.headers = headers;
    this.lowest = lowest;
    this.page = page;
  }

  get tipHeight(): number {
    return this.lowest + this.headers.length - 1;
  }

  get tipHash(): string {
    return this.headers.at(-1)?.hash ?? '';
  }

  readonly answer = (path: string): Answer => {
    this.asked.push(path);
    const found = this.#answer(path);
    return found === undefined ? { status: 404, body: 'Block not found' } : { body: found };
  };

  #answer(path: string): string | undefined {
    if (path === '/blocks/tip/height') return String(this.tipHeight);
    if (path === '/blocks/tip/hash') return this.tipHash;
    const [, route = '', of = ''] = path.split('/');
    const place = this.headers[Number(of) - this.lowest];
    if (route === 'block-height') return place?.hash;
    if (route === 'blocks') return place && JSON.stringify(this.#pageFrom(Number(of)));
    const header = this.headers.find(({ hash }) => hash === of);
    return header && toHex(header.raw);
  }

  #pageFrom(height: number): readonly object[] {
    const index = height - this.lowest;
    const page = this.headers.slice(Math.max(0, index - this.page + 1), index + 1).toReversed();
    return page.map((header, below) => {
      const view = new DataView(header.raw.buffer, header.raw.byteOffset, 80);
      return {
        id: header.hash,
        height: height - below,
        version: view.getInt32(0, true),
        timestamp: header.time,
        bits: header.bits,
        nonce: view.getUint32(76, true),
        merkle_root: header.merkleRoot,
        previousblockhash: header.previousHash,
      };
    });
  }
}
