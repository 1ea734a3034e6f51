import { toHex } from '../../../worker/engine/primitives/bytes.ts';
import type { Message } from '../../../worker/engine/wire/message.ts';
import type { LedgerHtlc } from '../htlc-ledger.ts';
import type { Side } from '../side.ts';
import type { World } from '../world.ts';
import { isLostIn } from './lost-htlcs.ts';

/** What a node in the middle says: what it passes on it passes on once, for less and for less long, and never gives away what it paid. */
export function checkForwarding(world: World, side: Side, message: Message): void {
  if (message.kind === 'update_add_htlc') return checkPassedOn(world, side, toHex(message.channelId), message.id);
  if (message.kind === 'update_fail_htlc' || message.kind === 'update_fail_malformed_htlc')
    checkGivenBack(world, side, toHex(message.channelId), message.id);
}

/** Both edges of what was passed on have ended alike: whoever passed it on has lost nothing, and won its fee only. */
export function checkForwards(world: World): void {
  for (const htlc of world.htlcs.all()) {
    const before = world.htlcs.before(htlc);
    if (before === undefined || world.isWrong(htlc.to) || world.isWrong(before.from)) continue;
    const [paid, received] = [world.htlcs.isTaken(htlc), world.htlcs.isTaken(before)];
    if (paid === received || isLost(htlc)) continue;
    const ends = `${htlc.amountMsat} msat to ${htlc.to.name}: paid ${paid}, received ${received}`;
    // Its payer paid the hash twice, and one of the two was enough for the payee.
    if (paid || !isShared(world, htlc.paymentHash)) world.complain(htlc.from.name, `passed on ${ends}`);
  }
}

/** Whether more than one payment has a hash: then whoever knows the preimage of one may take the other. */
export function isShared({ payments }: World, paymentHash: string): boolean {
  return payments.filter((each) => each.paymentHash === paymentHash).length > 1;
}

function isLost({ from, channelKey, paymentHash }: LedgerHtlc): boolean {
  const monitor = from.view.monitors.get(channelKey);
  return monitor !== undefined && isLostIn(monitor, paymentHash);
}

function checkPassedOn(world: World, side: Side, channelKey: string, id: bigint): void {
  const complain = (problem: string): void => world.complain(side.name, `an HTLC was passed on ${problem}`);
  const passedOn = world.htlcs
    .all()
    .find((each) => each.from === side && each.channelKey === channelKey && each.id === id);
  const before = passedOn && world.htlcs.before(passedOn);
  if (passedOn === undefined || before === undefined) return;
  if (world.htlcs.after(before).length > 1) complain('twice');
  if (passedOn.paymentHash !== before.paymentHash) complain('with another hash');
  if (passedOn.amountMsat > before.amountMsat) complain('for more than it brought');
  if (passedOn.cltvExpiry >= before.cltvExpiry) complain('for longer than it waits');
}

/** Whoever gives back an HTLC whose preimage it knows gives its amount away: to the payee, and to the payer. */
function checkGivenBack(world: World, side: Side, channelKey: string, id: bigint): void {
  const htlc = world.htlcs.offeredTo(side, channelKey, id);
  if (htlc === undefined) return;
  const { view } = side;
  const complain = (problem: string): void => world.complain(side.name, `gives back an HTLC ${problem}`);
  const parts = view.inbound.get(htlc.paymentHash)?.received?.parts ?? [];
  if (parts.some((part) => part.channelKey === channelKey && part.htlcId === id)) complain('that it has received');
  for (const passedOn of world.htlcs.after(htlc)) {
    if (world.htlcs.isTaken(passedOn) && !isLost(passedOn)) complain('that it has paid on');
    if (view.monitors.get(passedOn.channelKey)?.preimages.has(htlc.paymentHash) === true)
      complain('whose preimage it knows');
  }
}
