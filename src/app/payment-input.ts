/** What somebody pasted into the field for a payment. */
export type PaymentInput =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'invoice'; readonly invoice: string }
  | { readonly kind: 'address'; readonly address: string; readonly amountSat?: bigint; readonly label: string }
  | { readonly kind: 'unusable'; readonly reason: string };

/** As `sendOnchain` has it, in UTF-8. */
export const MOST_LABEL_BYTES = 200;

/** Recognizes BOLT 11 invoices, addresses, `lightning:` and `bitcoin:` links (BIP 21); what is inside them the wallet checks. */
export function readPaymentInput(text: string): PaymentInput {
  const trimmed = text.trim();
  const bare = trimmed.replace(/^lightning:(\/\/)?/i, '');
  if (bare === '') return { kind: 'nothing' };
  if (/^ln(bc|tb|tbs|bcrt)\d*[munp]?1/i.test(bare)) return { kind: 'invoice', invoice: bare };
  if (/^lno1/i.test(bare))
    return unusable('This is an offer (BOLT 12), which this page cannot pay. Ask for an invoice.');
  if (/^lnurl/i.test(bare) || bare.includes('@')) {
    return unusable('This page cannot look up Lightning addresses and LNURL. Ask for an invoice.');
  }
  if (/^bitcoin:/i.test(bare)) return readBip21(bare.slice('bitcoin:'.length));
  if (isAddress(bare)) return { kind: 'address', address: bare, label: '' };
  return unusable('This is neither an invoice nor an address. Check that all of it was copied.');
}

/** A `bitcoin:` link for an address. */
export function bip21(address: string, amountSat?: bigint): string {
  if (amountSat === undefined) return `bitcoin:${address}`;
  return `bitcoin:${address}?amount=${btcText(amountSat)}`;
}

/** As much of a text as a wallet takes for a label: the payment must not fail for the rest. */
export function labelOf(text: string): string {
  return text.slice(0, new TextEncoder().encodeInto(text, new Uint8Array(MOST_LABEL_BYTES)).read);
}

function readBip21(rest: string): PaymentInput {
  const [address = '', query = ''] = rest.split('?', 2);
  const fields = new URLSearchParams(query);
  const invoice = fields.get('lightning');
  if (invoice !== null) return readPaymentInput(invoice);
  for (const name of fields.keys()) {
    if (name.startsWith('req-')) return unusable(`The link demands something this page does not know: ${name}`);
  }
  if (!isAddress(address)) return unusable('The link holds no address. Check that all of it was copied.');
  const amount = fields.get('amount');
  const label = labelOf(fields.get('label') ?? fields.get('message') ?? '');
  if (amount === null) return { kind: 'address', address, label };
  const amountSat = parseBtc(amount);
  if (amountSat === undefined) return unusable('The amount in the link is not a number of bitcoin.');
  return { kind: 'address', address, amountSat, label };
}

function isAddress(text: string): boolean {
  return /^((bc|tb|bcrt)1[0-9a-z]{11,87}|(BC|TB|BCRT)1[0-9A-Z]{11,87}|[123mn][1-9A-HJ-NP-Za-km-z]{25,39})$/.test(text);
}

/** Digit by digit: a float would round. */
function parseBtc(text: string): bigint | undefined {
  const match = /^(\d{1,8})(?:\.(\d{1,8}))?$/.exec(text);
  if (match === null) return undefined;
  return BigInt(match[1] ?? '0') * 100_000_000n + BigInt((match[2] ?? '').padEnd(8, '0'));
}

function btcText(sat: bigint): string {
  const decimals = (sat % 100_000_000n).toString().padStart(8, '0').replace(/0+$/, '');
  const whole = (sat / 100_000_000n).toString();
  return decimals === '' ? whole : `${whole}.${decimals}`;
}

function unusable(reason: string): PaymentInput {
  return { kind: 'unusable', reason };
}
