/** A mutation that no test can notice, and why. */
export interface EquivalentMutation {
  /** The end of the file's path. */
  readonly file: string;
  readonly inFunction: string;
  readonly original: string;
  /** Absent: whatever it is replaced with. */
  readonly replacement?: string;
  readonly reason: string;
}

export const EQUIVALENT: readonly EquivalentMutation[] = [
  {
    file: 'manager/reconciliation.ts',
    inFunction: 'restoreChannels',
    original: "restored.plan !== 'operate'",
    reason: 'whether a line goes to the log',
  },
  {
    file: 'monitor/monitor-persister.ts',
    inFunction: 'updateIdOf',
    original: '0',
    reason: 'a damaged record has no id: the ids go on after it wherever they begin',
  },
  {
    file: 'channel/commitment-costs.ts',
    inFunction: 'unlessNegative',
    original: "error instanceof GlowwormError && error.code === 'AmountOutOfRange'",
    replacement: 'true',
    reason: 'nothing else is thrown there; what would be is a mistake of ours',
  },
  {
    file: 'manager/channel-manager.ts',
    inFunction: 'stackOf',
    original: '(error.stack ?? error.message) : String(error)',
    reason: 'which words of an error go to the log',
  },
  {
    file: 'manager/turn.ts',
    inFunction: 'broadcast',
    original: '0',
    replacement: '1',
    reason: 'no transaction is one byte long',
  },
  {
    file: 'transactions/commitment-spec.ts',
    inFunction: 'applyChanges',
    original: 'holderChanges.length === 0 && counterpartyChanges.length === 0',
    replacement: 'false',
    reason: 'no change makes an equal specification anew: it is only faster',
  },
  {
    file: 'channel/channel-opening.ts',
    inFunction: 'fundingOutputScript',
    original: 'holder.fundingPubkey, counterparty.fundingPubkey',
    reason: 'the script puts the keys in order (BOLT 3, Funding Transaction Output)',
  },
  {
    file: 'wallet/wallet-record.ts',
    inFunction: 'encodeWallet',
    original: '0',
    replacement: '1',
    reason: 'the flags say whether there is a height: none is read where there was none',
  },
  {
    file: 'manager/forwarding-updates.ts',
    inFunction: '#isNext',
    original: '0',
    replacement: '1',
    reason: 'no update is from the first second of 1970',
  },
  {
    file: 'manager/reconciliation.ts',
    inFunction: 'signerStateOf',
    original: '0',
    replacement: '1',
    reason: 'a monitor always has a commitment of the counterparty',
  },
  {
    file: 'monitor/channel-monitor.ts',
    inFunction: 'livePreimages',
    original: 'monitor.preimages.size === 0',
    replacement: 'false',
    reason: 'of no preimages none is dropped: it is only faster',
  },
  {
    file: 'keys/derivation.ts',
    inFunction: 'deriveRevocationSecret',
    original: 'perCommitmentSecret, forCommitment',
    reason: 'a product is the same in either order',
  },
  {
    file: 'keys/derivation.ts',
    inFunction: 'deriveRevocationSecret',
    original: 'revocationBasepointSecret, forBase',
    reason: 'a product is the same in either order',
  },
  {
    file: 'payments/outbound-payment.ts',
    inFunction: 'mostHops',
    original: '1n',
    replacement: '2n',
    reason: 'every short channel id has the same length',
  },
  {
    file: 'transactions/closing.ts',
    inFunction: 'closingWeight',
    original: '0n',
    replacement: '1n',
    reason: 'every amount has the same length',
  },
  {
    file: 'manager/reconciliation.ts',
    inFunction: 'restoreChannels',
    original: '0',
    replacement: '1',
    reason: 'how the log names a channel',
  },
  {
    file: 'manager/outbound-payments.ts',
    inFunction: '#fail',
    original: 'this.#excluded.delete(key);',
    reason: 'another try of the payment begins without it anyway: only memory is freed',
  },
  {
    file: 'manager/outbound-payments.ts',
    inFunction: 'fulfilled',
    original: 'this.#excluded.delete(key);',
    reason: 'what is paid is not tried again: only memory is freed',
  },
  {
    file: 'monitor/bare-monitor.ts',
    inFunction: 'unknownCommitments',
    original: '0',
    replacement: '1',
    reason: 'whatever number a close of such a channel has, only `to_remote` is taken out of it',
  },
  {
    file: 'claims/claims.ts',
    inFunction: 'outputOf',
    original: '0n',
    replacement: '1n',
    reason: 'whoever asks for an output has found it there',
  },
  {
    file: 'claims/claims.ts',
    inFunction: 'outputOf',
    original: '0',
    replacement: '1',
    reason: 'whoever asks for an output has found it there',
  },
  {
    file: 'claims/confirmed-spends.ts',
    inFunction: 'readTransaction',
    original: 'confirmed, known',
    reason: 'what is not found there is read again: it is only slower',
  },
  {
    file: 'claims/confirmed-spends.ts',
    inFunction: 'readTransaction',
    original: 'READ.set(confirmed, known);',
    reason: 'what is not found there is read again: it is only slower',
  },
  {
    file: 'monitor/balances.ts',
    inFunction: 'derived',
    original: 'monitor, found',
    reason: 'what is not found there is derived again: it is only slower',
  },
  {
    file: 'monitor/balances.ts',
    inFunction: 'derived',
    original: 'DERIVED.set(monitor, found);',
    reason: 'what is not found there is derived again: it is only slower',
  },
  {
    file: 'monitor/chain-monitor.ts',
    inFunction: '#claims',
    original: 'monitor, known',
    reason: 'what is not found there is derived again: it is only slower',
  },
  {
    file: 'monitor/chain-monitor.ts',
    inFunction: '#claims',
    original: 'this.#derived.set(monitor, known);',
    reason: 'what is not found there is derived again: it is only slower',
  },
  {
    file: 'monitor/channel-monitor.ts',
    inFunction: 'hashesOf',
    original: 'spec, hashes',
    reason: 'what is not found there is made again: it is only slower',
  },
  {
    file: 'monitor/channel-monitor.ts',
    inFunction: 'hashesOf',
    original: 'HASHES.set(spec, hashes);',
    reason: 'what is not found there is made again: it is only slower',
  },
  {
    file: 'wallet/wallet.ts',
    inFunction: '#changeOutput',
    original: '0n',
    replacement: '1n',
    reason: 'change is nothing, or no dust',
  },
];
