/**
 * What an `error` is answered with where its sender does not close the channel. `reconnect`: the connection is begun anew,
 * for the sender has stopped the channel until then. `goOn`: the sender has refused one message and goes on.
 */
export type MildAnswer = 'reconnect' | 'goOn';

/**
 * BOLT 1 fails a channel upon any `error`, but deployed nodes send some for what passes, and keep the channel: to close for
 * them costs the wait and the fees of a force close that nobody needs. Nothing is lost by staying: a sender that does close
 * has its own commitment to publish, which our monitor sees, and the owner can close alone at any time.
 *
 * lnd's texts are those of `htlcswitch/linkfailure.go`. It tells the peer the kind of a link's failure, mostly without
 * closing (`LinkFailureForceNone`, `LinkFailureDisconnect`), and loads the link anew on the next connection. The one of
 * them that is missing here, "unable to resume channel, recovery required", does ask for a close: lnd has lost its state.
 */
const MILD_ERRORS: ReadonlyMap<string, MildAnswer> = new Map<string, MildAnswer>([
  // At an orderly shutdown, and when its database or its switch fails. Core Lightning and eclair stay for it too.
  ['internal error', 'reconnect'],
  // An update or signature that came at a wrong moment of the link; where lnd means it, it publishes its commitment.
  ['invalid update', 'reconnect'],
  ['invalid commitment', 'reconnect'],
  // lnd disconnects and never closes for a revocation.
  ['invalid revocation', 'reconnect'],
  // Its answer to an `error` of ours: what we meant by that we have done.
  ['remote error', 'reconnect'],
  // Upon `channel_reestablish`; either lnd has published its commitment already or another connection mends it.
  ['sync error', 'reconnect'],
  // lnd before 0.18, to a `shutdown` while HTLCs are in the channel, which goes on. LDK and eclair stay for it too, and
  // say `shutdown` again later.
  ['link failed to shutdown', 'goOn'],
  ['cannot co-op close channel w/ active htlcs', 'goOn'],
]);

/** How an error with this text is answered; `undefined` where it ends the channel that it names. */
export const mildAnswer = (text: string): MildAnswer | undefined => MILD_ERRORS.get(text);
