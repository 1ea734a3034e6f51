import type { NetworkName } from '../../worker/client/api.ts';

/** Seconds from one block to the next, on average; none where a block comes when somebody asks for it. */
const BLOCK_SECONDS: Readonly<Record<NetworkName, number | undefined>> = {
  bitcoin: 600,
  testnet: 600,
  testnet4: 600,
  signet: 600,
  mutinynet: 30,
  regtest: undefined,
};

/** The wallet's own feerate is what a server expects to be enough within so many blocks. */
export const USUAL_BLOCKS = 12;

/** About how long so many blocks take on a network. */
export function blocksText(blocks: number, network: NetworkName): string {
  const count = Math.max(1, blocks);
  const seconds = BLOCK_SECONDS[network];
  if (seconds === undefined) return count === 1 ? 'a block' : `${count} blocks`;
  const minutes = Math.round((count * seconds) / 60);
  if (minutes < 60) return minutes <= 1 ? 'about a minute' : `about ${minutes} minutes`;
  const hours = Math.round(minutes / 60);
  if (hours < 36) return hours === 1 ? 'about an hour' : `about ${hours} hours`;
  return `about ${Math.round(hours / 24)} days`;
}
