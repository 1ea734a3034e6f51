import { toHex } from '../../engine/primitives/bytes.ts';
import type { ErrorDetails } from '../../engine/primitives/errors.ts';
import { GlowwormError } from '../../engine/primitives/errors.ts';
import type { MessageOf } from '../../engine/wire/message.ts';

/** The codes of what goes wrong with a peer. */
export type PeerCode =
  'PeerUnreachable' | 'PeerHandshakeFailed' | 'PeerFeatureUnsupported' | 'PeerOtherNetwork' | 'PeerMisbehaved';

export const peerProblem = (code: PeerCode, message: string, details?: ErrorDetails): GlowwormError =>
  new GlowwormError(code, message, details);

export const silentPeer = (): GlowwormError =>
  peerProblem('PeerUnreachable', 'The peer stays silent. It may be down, or the proxy may not reach it.');

export const closedInHandshake = (): GlowwormError =>
  peerProblem(
    'PeerHandshakeFailed',
    'The connection was closed during the handshake: another node answers there, or none. Check node id and address.',
  );

export const closedBeforeInit = (): GlowwormError =>
  peerProblem(
    'PeerHandshakeFailed',
    'The peer closed the connection instead of saying what it supports; it may want features that this wallet lacks.',
  );

export const misbehaved = (what: string): GlowwormError =>
  peerProblem('PeerMisbehaved', `The peer broke the protocol (${what}), so the connection was closed.`);

/** `PeerError` or `PeerWarning`, with the peer's own words as far as they may be shown. */
export function spokenProblem({ kind, channelId, data }: MessageOf<'error'> | MessageOf<'warning'>): GlowwormError {
  const text = printableText(data);
  const said = text === '' ? 'nothing that can be shown' : `"${text}"`;
  const details = { text, channelId: toHex(channelId) };
  return kind === 'error'
    ? new GlowwormError('PeerError', `The peer sent an error: ${said}.`, details)
    : new GlowwormError('PeerWarning', `The peer sent a warning: ${said}.`, details);
}

const MAX_TEXT = 300;

/** BOLT 1 wants text shown only when all of it is printable ASCII: anything else may be aimed at whoever reads it. */
export function printableText(data: Uint8Array): string {
  if (!data.every((byte) => byte >= 0x20 && byte <= 0x7e)) return '';
  return String.fromCharCode(...data.subarray(0, MAX_TEXT));
}
