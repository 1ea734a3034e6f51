import { isDeepStrictEqual } from 'node:util';
import { equalBytes, toHex } from '../../../worker/engine/primitives/bytes.ts';
import type { StoredRecords } from '../../../worker/engine/primitives/store.ts';
import { decodeWallet } from '../../../worker/engine/wallet/wallet-record.ts';
import type { WalletState } from '../../../worker/engine/wallet/wallet-state.ts';
import type { Side } from '../side.ts';
import type { World } from '../world.ts';

/** A start that writes all that it has to finds nothing to do when it is repeated: restarting twice is restarting once. */
export async function checkRestarts(world: World, side: Side): Promise<void> {
  const complain = (problem: string): void => world.complain(side.name, problem);
  try {
    const once = await side.rehearse(side.disk.durable);
    const twice = await side.rehearse(once);
    const changed = [...new Set([...once.keys(), ...twice.keys()])].filter((key) => !isSame(once, twice, key));
    if (changed.length > 0) complain(`a second restart changes ${changed.join(', ')}`);
  } catch (error) {
    complain(`a rehearsed restart failed: ${String(error)}`);
  }
}

function isSame(once: StoredRecords, twice: StoredRecords, key: string): boolean {
  const [before, after] = [once.get(key), twice.get(key)];
  if (before === undefined || after === undefined) return false;
  return equalBytes(before, after) || (key === 'coin/state' && isDeepStrictEqual(coinsIn(before), coinsIn(after)));
}

/** The order of coins says only what was heard of last. */
function coinsIn(bytes: Uint8Array): WalletState {
  const state = decodeWallet(bytes);
  const name = ({ txid, vout }: WalletState['coins'][number]): string => `${toHex(txid)} ${vout}`;
  return { ...state, coins: state.coins.toSorted((a, b) => (name(a) < name(b) ? -1 : 1)) };
}
