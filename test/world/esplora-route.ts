import { scriptHashOf, type BlockRecord, type KnownTx } from './chain-index.ts';
import { type Reply, text } from './http-server.ts';
import { scriptOfAddress } from './regtest-network.ts';
import type { ServedChain } from './served-chain.ts';

/** What a request carries beside the parameters of its path. */
export interface RequestExtras {
  readonly body: string;
  /** The body's, as `Content-Type` has it. */
  readonly type: string;
  readonly query: URLSearchParams;
}

export interface EsploraRoute {
  readonly method: 'GET' | 'POST';
  /** The path with its parameters' names, such as `/tx/:txid/outspend/:vout`. */
  readonly name: string;
  readonly path: RegExp;
  readonly reply: (parameters: readonly string[], extras: RequestExtras) => Promise<Reply>;
}

/** A failure that a server answers in plain text. */
export class EsploraError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export function get(
  name: string,
  reply: (parameters: readonly string[], query: URLSearchParams) => Reply,
): EsploraRoute {
  return route('GET', name, (parameters, { query }) => reply(parameters, query));
}

export function route(
  method: EsploraRoute['method'],
  name: string,
  reply: (parameters: readonly string[], extras: RequestExtras) => Reply | Promise<Reply>,
): EsploraRoute {
  const path = new RegExp(`^${name.replace(/:[a-z]+/g, '([^/]+)')}/?$`);
  return {
    method,
    name: method === 'GET' ? name : `${method} ${name}`,
    path,
    reply: async (parameters, extras) => {
      try {
        return await reply(parameters, extras);
      } catch (error) {
        if (error instanceof EsploraError) return text(error.status, error.message);
        throw error;
      }
    },
  };
}

export function blockOf(chain: ServedChain, hash: string): BlockRecord {
  const block = chain.index.block(hash32(hash));
  if (block === undefined) throw new EsploraError(404, 'Block not found');
  return block;
}

export function txOf(chain: ServedChain, txid: string): KnownTx {
  const known = chain.find(hash32(txid));
  if (known === undefined) throw new EsploraError(404, 'Transaction not found');
  return known;
}

export function scriptHashOfAddress(address: string): string {
  try {
    return scriptHashOf(scriptOfAddress(address));
  } catch {
    throw new EsploraError(400, 'Invalid Bitcoin address');
  }
}

export function hash32(hex: string): string {
  if (!/^[0-9a-f]{64}$/i.test(hex)) throw new EsploraError(400, 'Invalid hex string');
  return hex.toLowerCase();
}

export function integer(digits: string): number {
  if (!/^\d{1,9}$/.test(digits)) throw new EsploraError(400, 'Invalid number');
  return Number(digits);
}
