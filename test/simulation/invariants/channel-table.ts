import type { Side } from '../side.ts';
import type { World } from '../world.ts';

/** No message puts a channel in the place of another one: an outpoint, and with it an id, is that of one channel. */
export function checkChannelTable(world: World, side: Side, receive: () => void): void {
  const before = side.node.manager.channels().map((entry) => ({ key: entry.key, entry }));
  receive();
  const after = new Map(side.node.manager.channels().map((entry) => [entry.key, entry]));
  for (const { key, entry } of before)
    if (after.has(key) && after.get(key) !== entry)
      world.complain(side.name, 'a channel took the place of another one');
}
