import type { JSX } from 'preact';
import type { LightningBalance, OnchainBalance } from '../../../worker/client/api.ts';
import { grouped, msatText, satText } from '../format.ts';
import { Bar, type BarPart } from './bar.tsx';
import { Facts } from './facts.tsx';

/** What can be spent over Lightning, and where the rest of the channels' money is. */
export function LightningCard({ balance }: { readonly balance: LightningBalance }): JSX.Element {
  const parts: readonly BarPart[] = [
    { name: 'Can send', look: 'send', msat: balance.sendableMsat },
    { name: 'Reserved', look: 'reserved', msat: balance.reservedMsat },
    { name: 'Pending', look: 'pending', msat: balance.pendingMsat },
    { name: 'Can receive', look: 'receive', msat: balance.receivableMsat },
  ];
  return (
    <section class="card balance" aria-label="Lightning balance">
      <p class="balance-label">You can send</p>
      <p class="balance-amount">
        {grouped(balance.sendableMsat / 1000n)} <small>sat</small>
      </p>
      <Bar parts={parts} />
      <dl class="legend">
        {parts.map(({ name, look, msat }) => (
          <div key={name}>
            <dt>
              <span class={`swatch look-${look}`} aria-hidden="true" />
              {name}
            </dt>
            <dd>{msatText(msat)}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

/** The coins that are in no channel. */
export function OnchainCard({ balance }: { readonly balance: OnchainBalance }): JSX.Element {
  const { spendableSat, unconfirmedSat, reservedSat, sweepingSat } = balance;
  const some = (sat: bigint): string => (sat === 0n ? '' : satText(sat));
  return (
    <section class="card" aria-label="On-chain balance">
      <Facts
        facts={[
          ['On-chain', <strong>{satText(spendableSat)}</strong>],
          ['Unconfirmed', some(unconfirmedSat)],
          ['Kept for fees, fundings', some(reservedSat)],
          ['From closed channels', some(sweepingSat)],
        ]}
      />
    </section>
  );
}
