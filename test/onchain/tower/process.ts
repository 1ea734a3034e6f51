import { Watchtower, type TowerNews, type TowerParts } from './watchtower.ts';

/** What this process is told: first what it works with, then news, each of which it answers. */
export type ToTower = { readonly kind: 'begin'; readonly parts: TowerParts } | TowerNews;

/** What it says to that: what is to be broadcast, and what is in its wallet then, in satoshi. */
export interface FromTower {
  readonly transactions: readonly Uint8Array[];
  readonly coinsSat: bigint;
}

let tower: Watchtower | undefined;

process.on('message', (message: ToTower) => {
  if (message.kind === 'begin') tower = new Watchtower(message.parts);
  const transactions = message.kind === 'begin' ? [] : (tower?.hear(message) ?? []);
  const answer: FromTower = { transactions, coinsSat: tower?.coinsSat ?? 0n };
  process.send?.(answer);
});
