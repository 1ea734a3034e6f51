import { GlowwormError } from '../../worker/engine/primitives/errors.ts';
import type { PeerConfig, WalletConfig } from '../../worker/client/api.ts';
import type { PeerFields } from './peer-input.ts';

/** The embedded regtest world that this page was served from. */
export interface World {
  readonly network: 'regtest';
  readonly esploraUrl: string;
  readonly proxyUrl: string;
  readonly controlUrl: string;
  readonly peer: { readonly nodeId: string; readonly host: string; readonly port: number; readonly wsUrl: string };
}

/** The world beside the page, if there is one. */
export async function loadWorld(): Promise<World | undefined> {
  try {
    const response = await fetch('./world.json');
    const found: unknown = response.ok ? await response.json() : undefined;
    return isWorld(found) ? found : undefined;
  } catch {
    // No file, or the page of a server that answers every path with it.
    return undefined;
  }
}

/** Each world has a chain of its own, so a wallet of another one could not use it. */
export function worldConfig(world: World): WalletConfig {
  return {
    network: world.network,
    esploraUrls: [world.esploraUrl],
    peers: [worldPeer(world)],
    name: `regtest-${world.peer.nodeId.slice(2, 18)}`,
  };
}

export function worldPeer({ peer }: World): PeerConfig {
  return { nodeId: peer.nodeId, address: { kind: 'websocket', url: peer.wsUrl } };
}

export function worldPeerFields({ peer }: World): PeerFields {
  return { nodeId: peer.nodeId, kind: 'websocket', url: peer.wsUrl, host: peer.host, port: String(peer.port) };
}

/** Sends a command to the world's control API; throws `WorldUnreachable`, or `WorldRefused` with its reason. */
export async function command(world: World, path: string, fields: object): Promise<Readonly<Record<string, unknown>>> {
  const response = await fetch(`${world.controlUrl}${path}`, { method: 'POST', body: JSON.stringify(fields) }).catch(
    () => {
      throw new GlowwormError('WorldUnreachable', 'The regtest world does not answer.');
    },
  );
  const answer = (await response.json()) as Readonly<Record<string, unknown>>;
  if (!response.ok) throw new GlowwormError('WorldRefused', `The regtest world refused: ${String(answer['error'])}`);
  return answer;
}

function isWorld(value: unknown): value is World {
  if (typeof value !== 'object' || value === null) return false;
  return 'esploraUrl' in value && 'controlUrl' in value && 'peer' in value;
}
