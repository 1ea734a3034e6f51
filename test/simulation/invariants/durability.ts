import { equalBytes } from '../../../worker/engine/primitives/bytes.ts';
import { encodeOpenChannel } from '../../../worker/engine/channel/channel-records.ts';
import { isOpen, type OpenEntry } from '../../../worker/engine/manager/channel-entry.ts';
import { storeName } from '../../../worker/engine/monitor/channel-records.ts';
import { encodeWallet } from '../../../worker/engine/wallet/wallet-record.ts';
import type { Side } from '../side.ts';
import type { World } from '../world.ts';

/** When nothing is in flight, memory and disk say the same. */
export function checkDurability(world: World): void {
  for (const side of world.honest) {
    const wallet = side.view.records.get('coin/state');
    if (wallet !== undefined && !equalBytes(wallet, encodeWallet(side.node.wallet.state)))
      world.complain(side.name, 'the wallet differs from what is durable');
    for (const entry of side.node.manager.channels())
      if (isOpen(entry) && !isDurable(side, entry))
        world.complain(side.name, 'at rest, a channel differs from what is durable');
  }
}

function isDurable({ view }: Side, { state, signer }: OpenEntry): boolean {
  const record = view.records.get(`chan/${storeName(state.params)}/state`);
  return record !== undefined && equalBytes(record, encodeOpenChannel(state, signer.state));
}
