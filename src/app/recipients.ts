import type { OnchainOutput } from '../../worker/client/api.ts';
import { parseSat, satText } from './format.ts';
import { readPaymentInput } from './payment-input.ts';

/** Somebody to be paid, as typed. */
export interface Recipient {
  readonly address: string;
  readonly amount: string;
}

export const NOBODY: Recipient = { address: '', amount: '' };

/** As `sendOnchain` takes them. */
export const MOST_RECIPIENTS = 100;

/** Distributes a `bitcoin:` link over both fields. */
export function withAddress(recipient: Recipient, typed: string): Recipient {
  const input = readPaymentInput(typed);
  if (input.kind !== 'address') return { ...recipient, address: typed };
  return { address: input.address, amount: input.amountSat?.toString() ?? recipient.amount };
}

/** What is wrong with the address; nothing while there is none. */
export function wrongAddress({ address }: Recipient): string | undefined {
  const input = readPaymentInput(address);
  if (input.kind === 'unusable') return input.reason;
  return input.kind === 'invoice' ? 'This is an invoice, which is paid alone. Put an address here.' : undefined;
}

/** What is wrong with an amount; nothing while there is none. */
export function wrongAmount(amount: string): string | undefined {
  return amount.trim() === '' || (parseSat(amount) ?? 0n) > 0n ? undefined : 'Whole satoshi, please.';
}

/** Said of more than there is. */
export function tooMuch(amountSat: bigint, spendableSat: bigint): string | undefined {
  return amountSat > spendableSat ? `More than can be spent: ${satText(spendableSat)}.` : undefined;
}

/** Whom to pay how much; nothing until all of it is there. */
export function outputsOf(recipients: readonly Recipient[]): readonly OnchainOutput[] | undefined {
  const outputs = recipients.flatMap(({ address, amount }) => {
    const input = readPaymentInput(address);
    const amountSat = parseSat(amount) ?? 0n;
    return input.kind === 'address' && amountSat > 0n ? [{ address: input.address, amountSat }] : [];
  });
  return outputs.length === recipients.length ? outputs : undefined;
}

/** Of the amounts that can be read. */
export function totalSat(recipients: readonly Recipient[]): bigint {
  return recipients.reduce((sum, { amount }) => sum + (parseSat(amount) ?? 0n), 0n);
}
