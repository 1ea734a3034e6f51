import { expect, it } from 'vitest';
import { GlowwormError } from '../../worker/engine/primitives/errors.ts';
import { addressOfScript } from '../../worker/engine/wallet/address.ts';
import { fromHex } from '../../worker/engine/primitives/bytes.ts';
import { arena } from './arena-start.ts';
import { expectOthersLive } from './survival.ts';
import { paidFrom } from '../engine/wallet/paid.ts';

const P2TR = fromHex('512079be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798');
const P2A = fromHex('51024e73');
const P2WSH = fromHex(`0020${'11'.repeat(32)}`);
const P2WPKH = fromHex(`0014${'11'.repeat(20)}`);
const P2PKH = fromHex(`76a914${'11'.repeat(20)}88ac`);
const P2SH = fromHex(`a914${'11'.repeat(20)}87`);

/** The least that Bitcoin Core relays to each kind of output. */
it.each<[string, Uint8Array, bigint]>([
  ['p2tr', P2TR, 330n],
  ['p2a', P2A, 240n],
  ['p2wsh', P2WSH, 330n],
  ['p2wpkh', P2WPKH, 294n],
  ['p2pkh', P2PKH, 546n],
  ['p2sh', P2SH, 540n],
])(
  'a payment to %s of what the network relays is made, and one satoshi less is not',
  async (_name, script, leastSat) => {
    const world = await arena('stranger');
    const { wallet } = world.victim.node;
    const address = addressOfScript(script, 'regtest') ?? '';
    const send = (amountSat: bigint): string => {
      try {
        world.victim.node.turn(() => paidFrom(wallet, address, amountSat, { feeratePerKw: 1_000, reserveSat: 0n }));
        return 'sent';
      } catch (error) {
        return error instanceof GlowwormError ? error.code : String(error);
      }
    };
    expect([send(leastSat - 1n), send(leastSat)]).toEqual(['AmountBelowDust', 'sent']);
    await expectOthersLive(world);
  },
);
