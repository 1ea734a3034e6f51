import { ldk } from '../world/ldk-bindings.ts';
import type { LdkSide } from './ldk-side.ts';

/** Where one side's bytes arrive at the other. */
interface End {
  readonly side: LdkSide;
  readonly descriptor: ldk.SocketDescriptor;
  readonly arriving: Uint8Array[];
}

/** The encrypted stream between two nodes of this worker. */
export class LdkPipe {
  readonly #ends: readonly [End, End];

  constructor(a: LdkSide, b: LdkSide) {
    const [toA, toB]: [Uint8Array[], Uint8Array[]] = [[], []];
    this.#ends = [
      { side: a, descriptor: descriptor(1n, toB), arriving: toA },
      { side: b, descriptor: descriptor(2n, toA), arriving: toB },
    ];
    const nowhere = ldk.Option_SocketAddressZ.constructor_none();
    b.objects.peers.new_inbound_connection(this.#ends[1].descriptor, nowhere);
    const opened = a.objects.peers.new_outbound_connection(b.nodeId, this.#ends[0].descriptor, nowhere);
    if (!(opened instanceof ldk.Result_CVec_u8ZPeerHandleErrorZ_OK)) throw new Error('LDK does not connect');
    toB.push(opened.res);
  }

  /** Runs both nodes until nothing moves but commits. */
  pump(): void {
    for (let moved = true; moved;) {
      moved = false;
      for (const { side, descriptor, arriving } of [...this.#ends].reverse()) {
        const chunks = arriving.splice(0);
        for (const chunk of chunks)
          if (!side.objects.peers.read_event(descriptor, chunk).is_ok()) throw new Error('LDK has disconnected');
        if (side.turn() || chunks.length > 0) moved = true;
      }
      if (this.#ends.some(({ arriving }) => arriving.length > 0)) moved = true;
    }
  }
}

function descriptor(handle: bigint, outgoing: Uint8Array[]): ldk.SocketDescriptor {
  return ldk.SocketDescriptor.new_impl({
    send_data: (bytes) => {
      if (bytes.length > 0) outgoing.push(bytes);
      return bytes.length;
    },
    disconnect_socket: () => undefined,
    eq: (other) => other.hash() === handle,
    hash: () => handle,
  });
}
