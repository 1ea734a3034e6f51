import type { RejectReason } from '../edges/chain/broadcaster.ts';
import type { Standing } from '../edges/chain/propagation.ts';
import type { OnchainSend } from './onchain-send.ts';

/** What stands in the way of an on-chain payment, in a sentence for the person who pays. */
export interface SendProblem {
  readonly code: string;
  readonly message: string;
}

/**
 * `standing` is what the servers have said of it in this run. Nobody is told to pay again before a payment is taken back: until then
 * both could arrive.
 */
export function problemOf({ fate }: OnchainSend, standing: Standing | undefined): SendProblem | undefined {
  switch (fate.kind) {
    case 'waiting':
      return problemSoFar(standing);
    case 'refused':
      return { code: 'SendRefused', message: [WHY[fate.reason], TAKEN_BACK, ...adviceOn(fate.reason)].join(' ') };
    case 'displaced':
      return DISPLACED;
    case 'confirmed':
    case 'replaced':
      return undefined;
    default:
      return fate satisfies never;
  }
}

function problemSoFar(standing: Standing | undefined): SendProblem | undefined {
  if (standing?.kind === 'unseen') return UNSEEN;
  if (standing?.kind !== 'refused') return undefined;
  return { code: 'SendRefusedForNow', message: `${WHY[standing.refusal.reason]} It is tried again.` };
}

const DISPLACED: SendProblem = {
  code: 'SendDisplaced',
  message:
    'Another transaction that spends the same coins is in a block, so this payment cannot arrive any more. If that one is not yours, another device may have the words of this wallet.',
};

const UNSEEN: SendProblem = {
  code: 'SendUnseen',
  message:
    'One server has taken the payment, but no other has seen it yet. It is sent again; check your connection, or add another server.',
};

const TAKEN_BACK =
  'Nothing was sent and the coins are yours to spend again. If it arrives all the same, this line says so.';

const WHY: Readonly<Record<RejectReason, string>> = {
  missingInputs:
    'The servers do not know the coins of this payment, or they are spent: perhaps by another device with the same words.',
  conflict:
    'Another transaction is about to spend the coins of this payment: perhaps one of another device with the same words.',
  feeTooLow: 'The fee of this payment is below what the network takes now.',
  notFinal: 'The network takes this payment only in a later block.',
  dust: 'An amount in this payment is too small for the network.',
  tooManyUnconfirmed: 'Too many payments that are not confirmed come before this one.',
  invalid: 'The servers refuse this payment.',
};

function adviceOn(reason: RejectReason): readonly string[] {
  switch (reason) {
    case 'feeTooLow':
      return ['To pay, send it again at a higher feerate.'];
    case 'dust':
      return ['To pay, send a larger amount.'];
    case 'invalid':
      return ['To pay, send it again, and if it is refused again, use another server.'];
    case 'missingInputs':
    case 'conflict':
    case 'notFinal':
    case 'tooManyUnconfirmed':
      return [];
    default:
      return reason satisfies never;
  }
}
