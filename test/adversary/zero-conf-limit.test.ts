import { describe, expect, it } from 'vitest';
import { isUnfunded } from '../../worker/engine/manager/channel-entry.ts';
import { arena } from './arena-start.ts';
import { openChannelOf } from './forge.ts';

describe('the bound on channels that wait for their funding', () => {
  it('does not count those of a trusted peer, which are used before it (LDK, unfunded_channel_count)', async () => {
    const channel = openChannelOf(await arena('fundee'));
    const unconfirmed = { ...channel, funding: { kind: 'unconfirmed', transaction: new Uint8Array(0) } } as const;
    expect(isUnfunded(unconfirmed)).toBe(true);
    expect(isUnfunded({ ...unconfirmed, params: { ...channel.params, minimumDepth: 0 } })).toBe(false);
  });
});
