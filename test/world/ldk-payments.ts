import { hex, ldk, optionU64, unhex } from './ldk.ts';
import type { LdkCore } from './ldk-core.ts';

export interface LdkInvoiceRequest {
  /** Absent for an invoice whose payer chooses the amount. */
  readonly msat?: number;
  readonly description?: string;
  readonly expirySeconds?: number;
}

const PAYMENT_ATTEMPTS = 3;
const KEYSEND_FINAL_CLTV_DELTA = 40;

export function createInvoice({ manager }: LdkCore, request: LdkInvoiceRequest): string {
  const created = ldk.UtilMethods.constructor_create_invoice_from_channelmanager(
    manager,
    optionU64(request.msat === undefined ? undefined : BigInt(request.msat)),
    request.description ?? '',
    request.expirySeconds ?? 3600,
    ldk.Option_u16Z.constructor_none(),
  );
  if (created instanceof ldk.Result_Bolt11InvoiceSignOrCreationErrorZ_OK) return created.res.to_str();
  throw new Error('LDK cannot create the invoice');
}

/** Starts to pay an invoice, with `msat` when it has no amount; gives the payment hash. */
export function startPayment({ manager }: LdkCore, bolt11: string, msat: number | undefined): string {
  const parsed = ldk.Bolt11Invoice.constructor_from_str(bolt11);
  if (!(parsed instanceof ldk.Result_Bolt11InvoiceParseOrSemanticErrorZ_OK)) {
    throw new Error('LDK cannot read the invoice');
  }
  const parameters =
    msat === undefined
      ? ldk.UtilMethods.constructor_payment_parameters_from_invoice(parsed.res)
      : ldk.UtilMethods.constructor_payment_parameters_from_variable_amount_invoice(parsed.res, BigInt(msat));
  if (!(parameters instanceof ldk.Result_C3Tuple_ThirtyTwoBytesRecipientOnionFieldsRouteParametersZNoneZ_OK)) {
    throw new Error('the amount is missing, or given twice');
  }
  const [hash, onion, route] = [parameters.res.get_a(), parameters.res.get_b(), parameters.res.get_c()];
  const retry = ldk.Retry.constructor_attempts(PAYMENT_ATTEMPTS);
  const sent = manager.send_payment(hash, onion, hash, route, retry);
  if (sent instanceof ldk.Result_NoneRetryableSendFailureZ_Err) {
    throw new Error(`LDK cannot pay: ${ldk.RetryableSendFailure[sent.err]}`);
  }
  return hex(hash);
}

/** Starts a spontaneous payment; gives the payment hash. */
export function startKeysend({ manager, entropy }: LdkCore, nodeId: string, msat: number): string {
  const preimage = entropy.get_secure_random_bytes();
  const payee = ldk.PaymentParameters.constructor_for_keysend(unhex(nodeId), KEYSEND_FINAL_CLTV_DELTA, false);
  const sent = manager.send_spontaneous_payment(
    ldk.Option_ThirtyTwoBytesZ.constructor_some(preimage),
    ldk.RecipientOnionFields.constructor_spontaneous_empty(),
    preimage,
    ldk.RouteParameters.constructor_from_payment_params_and_value(payee, BigInt(msat)),
    ldk.Retry.constructor_attempts(PAYMENT_ATTEMPTS),
  );
  if (sent instanceof ldk.Result_ThirtyTwoBytesRetryableSendFailureZ_OK) return hex(sent.res);
  throw new Error('LDK cannot send the spontaneous payment');
}
