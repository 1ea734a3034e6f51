import type { CoinWallet } from './coin-wallet.ts';
import { displayHash } from './chain-index.ts';
import { guarded, ldk, unhex } from './ldk.ts';

/** Weight units of a P2WPKH input's script and witness, as LDK counts them. */
const SATISFACTION_WEIGHT = 109n;

/** The wallet in the form that LDK takes its fee bumps' coins from. */
export function walletSource(wallet: CoinWallet, onError: (error: unknown) => void): ldk.WalletSource {
  return ldk.WalletSource.new_impl({
    list_confirmed_utxos: () =>
      guarded(
        () => ldk.Result_CVec_UtxoZNoneZ.constructor_err(),
        onError,
        () => ldk.Result_CVec_UtxoZNoneZ.constructor_ok(utxosOf(wallet)),
      ),
    get_change_script: () => ldk.Result_CVec_u8ZNoneZ.constructor_ok(wallet.script),
    sign_psbt: (psbt) =>
      guarded(
        () => ldk.Result_TransactionNoneZ.constructor_err(),
        onError,
        () => ldk.Result_TransactionNoneZ.constructor_ok(wallet.signPsbt(psbt)),
      ),
  });
}

function utxosOf(wallet: CoinWallet): ldk.Utxo[] {
  return wallet.coins().map(({ txid, vout, sats }) => {
    const outpoint = ldk.OutPoint.constructor_new(unhex(displayHash(txid)), vout);
    const output = ldk.TxOut.constructor_new(BigInt(sats), wallet.script);
    return ldk.Utxo.constructor_new(outpoint, output, SATISFACTION_WEIGHT);
  });
}
