import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CHAIN_PARAMETERS } from '../../worker/edges/chain/chain-parameters.ts';
import { checkpointHashes } from '../../worker/edges/chain/checkpoints.ts';
import { EsploraApi } from '../../worker/edges/chain/esplora-api.ts';
import { REQUEST_TIMEOUT_MS } from '../../worker/edges/chain/esplora-http.ts';
import { workerPlatform } from '../../worker/edges/chain/platform.ts';
import { budgeted, REQUESTS_PER_10_S } from '../../worker/edges/chain/request-budget.ts';
import type { Network } from '../../worker/engine/primitives/network.ts';
import { renewed, withCheckpoint } from './renewal.ts';

/**
 * Renews what the program knows of a network's blocks, from two servers that know nothing of each other:
 * `npm run checkpoints -- <network> <Esplora URL> <another Esplora URL>`. It changes nothing where they differ.
 */
const [network = '', first = '', second = ''] = process.argv.slice(2);
if (!isNetwork(network) || second === '') throw new Error('npm run checkpoints -- <network> <URL> <another URL>');
if (new URL(first).host === new URL(second).host) throw new Error('the two servers have to be two');

const folder = join(import.meta.dirname, '../../worker/edges/chain');
const { checkpoint } = CHAIN_PARAMETERS[network];
const known = { checkpoint, hashes: await checkpointHashes(network) };
const apiOf = (url: string): EsploraApi =>
  new EsploraApi(url, budgeted(workerPlatform, REQUESTS_PER_10_S), { network, timeoutMs: REQUEST_TIMEOUT_MS });
const renewal = await renewed(known, [apiOf(first), apiOf(second)]);
if (renewal !== undefined) {
  const parameters = join(folder, 'chain-parameters.ts');
  writeFileSync(parameters, withCheckpoint(readFileSync(parameters, 'utf8'), checkpoint, renewal));
  const list = Buffer.from(renewal.hashes).toString('base64');
  if (list !== '')
    writeFileSync(
      join(folder, 'checkpoints', `${network}.ts`),
      `/** See \`LoadCheckpoints\`, in Base64. */\nexport const HASHES =\n  '${list}';\n`,
    );
}
console.log(renewal === undefined ? 'nothing is newer' : `${network} begins at block ${renewal.checkpoint.height}`);

function isNetwork(name: string): name is Network {
  return Object.hasOwn(CHAIN_PARAMETERS, name);
}
