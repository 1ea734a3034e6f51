import type { Network } from '../../engine/primitives/network.ts';
import { addressOfScript, scripthash } from '../../engine/wallet/address.ts';
import { badReply } from './chain-source-error.ts';
import type { ScriptTx } from './esplora-reply.ts';
import type { EsploraRoutes } from './esplora-routes.ts';

/** What one server tells of scripts: by their hash, or, where it has no such routes, by their address. */
export class ScriptRoutes {
  readonly #routes: EsploraRoutes;
  readonly #baseUrl: string;
  readonly #network: Network;

  /** `network` is that of the addresses. */
  constructor(routes: EsploraRoutes, baseUrl: string, network: Network) {
    this.#routes = routes;
    this.#baseUrl = baseUrl;
    this.#network = network;
  }

  stats(script: Uint8Array): Promise<string> {
    return this.#text(script, '');
  }

  history(script: Uint8Array): Promise<string> {
    return this.#text(script, '/txs');
  }

  /** The one route knows the chain's transactions only; servers that lack it, or mix both, have the other. */
  async historyAfter(script: Uint8Array, { txid, status }: ScriptTx): Promise<string> {
    const chain = `${this.#known(script)}/txs/chain/${txid}`;
    const page = status.confirmed ? await this.#routes.tried('chainPages', chain) : undefined;
    return page ?? this.#text(script, `/txs?after_txid=${txid}`);
  }

  /** No server with the routes says "not found" of a script, which it may never have seen. */
  async #text(script: Uint8Array, below: string): Promise<string> {
    const byHash = await this.#routes.tried('scripthash', `/scripthash/${scripthash(script)}${below}`);
    if (byHash !== undefined) return byHash;
    const byAddress = await this.#routes.text(`${this.#byAddress(script)}${below}`);
    this.#routes.missing('scripthash');
    return byAddress;
  }

  #known(script: Uint8Array): string {
    return this.#routes.lacks('scripthash') ? this.#byAddress(script) : `/scripthash/${scripthash(script)}`;
  }

  #byAddress(script: Uint8Array): string {
    const address = addressOfScript(script, this.#network);
    if (address === undefined) throw badReply(this.#baseUrl, 'no route for a script that has no address');
    return `/address/${address}`;
  }
}
