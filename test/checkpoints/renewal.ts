import { CHECKPOINT_INTERVAL } from '../../worker/edges/chain/old-headers.ts';
import type { Checkpoint } from '../../worker/edges/chain/chain-parameters.ts';
import type { EsploraApi } from '../../worker/edges/chain/esplora-api.ts';
import { concat, fromHex } from '../../worker/engine/primitives/bytes.ts';

/** What the program knows of a network: its checkpoint, and 16 bytes of each period's last block, if it has them. */
export interface KnownBlocks {
  readonly checkpoint: Checkpoint;
  readonly hashes: Uint8Array;
}

export interface Renewal extends KnownBlocks {
  /** The target of the block after the checkpoint. */
  readonly nextBits: number;
}

/** A day of blocks: what is below is not reorganised any more. */
const BURIED = 144;

/**
 * What a program of today would know: the periods that have ended since are added, as two servers tell of them; `undefined` where
 * none has. Throws where they differ, or do not have the checkpoint that is known.
 */
export async function renewed(
  { checkpoint, hashes }: KnownBlocks,
  servers: readonly [EsploraApi, EsploraApi],
): Promise<Renewal | undefined> {
  await agreedHash(servers, checkpoint.height, checkpoint.hash);
  const tip = Math.min(...(await Promise.all(servers.map((server) => server.tipHeight()))));
  const height = Math.floor((tip - BURIED + 1) / CHECKPOINT_INTERVAL) * CHECKPOINT_INTERVAL - 1;
  if (height <= checkpoint.height) return undefined;
  const isListed = hashes.length > 0;
  const list = [hashes];
  for (let at = isListed ? checkpoint.height + CHECKPOINT_INTERVAL : height; at < height; at += CHECKPOINT_INTERVAL)
    list.push(fromHex((await agreedHash(servers, at)).slice(32)));
  const hash = await agreedHash(servers, height);
  if (isListed) list.push(fromHex(hash.slice(32)));
  const next = await servers[0].header(await agreedHash(servers, height + 1));
  if (next?.previousHash !== hash) throw new Error(`block ${height + 1} does not follow block ${height}`);
  return { checkpoint: { height, hash }, hashes: concat(...list), nextBits: next.bits };
}

/** The source of `chain-parameters.ts` with a newer checkpoint, and with the target after it where the old one has that. */
export function withCheckpoint(source: string, before: Checkpoint, { checkpoint, nextBits }: Renewal): string {
  const place = new RegExp(`height: [\\d_]+,(\\s+)hash: '${before.hash}'`);
  if (!place.test(source)) throw new Error(`the checkpoint ${before.hash} is not in the source`);
  const given = new RegExp(`given: \\{ height: ${grouped(before.height + 1)}, bits: 0x[0-9a-f_]+ \\}`);
  const bits = nextBits.toString(16).padStart(8, '0');
  return source
    .replace(place, `height: ${grouped(checkpoint.height)},$1hash: '${checkpoint.hash}'`)
    .replace(
      given,
      `given: { height: ${grouped(checkpoint.height + 1)}, bits: 0x${bits.slice(0, 4)}_${bits.slice(4)} }`,
    );
}

const grouped = (value: number): string => String(value).replace(/\B(?=(\d{3})+$)/g, '_');

async function agreedHash(servers: readonly EsploraApi[], height: number, known?: string): Promise<string> {
  const told = await Promise.all(servers.map((server) => server.blockHash(height)));
  const [hash = ''] = told;
  if (hash === '' || told.some((each) => each !== hash) || (known !== undefined && known !== hash))
    throw new Error(`block ${height} is ${[...(known === undefined ? [] : [known]), ...told].join(' or ')}`);
  return hash;
}
