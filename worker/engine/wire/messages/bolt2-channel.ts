/** BOLT 2: opening, normal operation and closing of a channel. */
export const bolt2ChannelMessages = {
  open_channel: {
    type: 32,
    fields: {
      chainHash: 'chainHash',
      temporaryChannelId: { kind: 'fixed', length: 32 },
      fundingSatoshis: 'u64',
      pushMsat: 'u64',
      dustLimitSatoshis: 'u64',
      maxHtlcValueInFlightMsat: 'u64',
      channelReserveSatoshis: 'u64',
      htlcMinimumMsat: 'u64',
      feeratePerKw: 'u32',
      toSelfDelay: 'u16',
      maxAcceptedHtlcs: 'u16',
      fundingPubkey: 'point',
      revocationBasepoint: 'point',
      paymentBasepoint: 'point',
      delayedPaymentBasepoint: 'point',
      htlcBasepoint: 'point',
      firstPerCommitmentPoint: 'point',
      channelFlags: 'u8',
    },
    tlvs: { upfrontShutdownScript: [0, 'remaining'], channelType: [1, 'remaining'] },
  },
  accept_channel: {
    type: 33,
    fields: {
      temporaryChannelId: { kind: 'fixed', length: 32 },
      dustLimitSatoshis: 'u64',
      maxHtlcValueInFlightMsat: 'u64',
      channelReserveSatoshis: 'u64',
      htlcMinimumMsat: 'u64',
      minimumDepth: 'u32',
      toSelfDelay: 'u16',
      maxAcceptedHtlcs: 'u16',
      fundingPubkey: 'point',
      revocationBasepoint: 'point',
      paymentBasepoint: 'point',
      delayedPaymentBasepoint: 'point',
      htlcBasepoint: 'point',
      firstPerCommitmentPoint: 'point',
    },
    tlvs: { upfrontShutdownScript: [0, 'remaining'], channelType: [1, 'remaining'] },
  },
  funding_created: {
    type: 34,
    fields: {
      temporaryChannelId: { kind: 'fixed', length: 32 },
      fundingTxid: 'sha256',
      fundingOutputIndex: 'u16',
      signature: 'signature',
    },
    tlvs: {},
  },
  funding_signed: { type: 35, fields: { channelId: 'channelId', signature: 'signature' }, tlvs: {} },
  channel_ready: {
    type: 36,
    fields: { channelId: 'channelId', secondPerCommitmentPoint: 'point' },
    tlvs: { shortChannelId: [1, 'shortChannelId'] },
  },
  shutdown: { type: 38, fields: { channelId: 'channelId', scriptpubkey: 'bytes' }, tlvs: {} },
  closing_signed: {
    type: 39,
    fields: { channelId: 'channelId', feeSatoshis: 'u64', signature: 'signature' },
    tlvs: { feeRange: [1, { kind: 'struct', fields: { minFeeSatoshis: 'u64', maxFeeSatoshis: 'u64' } }] },
  },
  closing_complete: {
    type: 40,
    fields: {
      channelId: 'channelId',
      closerScriptpubkey: 'bytes',
      closeeScriptpubkey: 'bytes',
      feeSatoshis: 'u64',
      locktime: 'u32',
    },
    tlvs: {
      closerOutputOnly: [1, 'signature'],
      closeeOutputOnly: [2, 'signature'],
      closerAndCloseeOutputs: [3, 'signature'],
    },
  },
  closing_sig: {
    type: 41,
    fields: {
      channelId: 'channelId',
      closerScriptpubkey: 'bytes',
      closeeScriptpubkey: 'bytes',
      feeSatoshis: 'u64',
      locktime: 'u32',
    },
    tlvs: {
      closerOutputOnly: [1, 'signature'],
      closeeOutputOnly: [2, 'signature'],
      closerAndCloseeOutputs: [3, 'signature'],
    },
  },
  start_batch: { type: 127, fields: { channelId: 'channelId', batchSize: 'u16' }, tlvs: { messageType: [1, 'u16'] } },
  update_add_htlc: {
    type: 128,
    fields: {
      channelId: 'channelId',
      id: 'u64',
      amountMsat: 'u64',
      paymentHash: 'sha256',
      cltvExpiry: 'u32',
      onionRoutingPacket: { kind: 'fixed', length: 1366 },
    },
    // The other one is LDK's: what the forwarding node keeps, as the payee has agreed to.
    tlvs: { pathKey: [0, 'point'], skimmedFeeMsat: [65537, 'u64'] },
  },
  update_fulfill_htlc: {
    type: 130,
    fields: { channelId: 'channelId', id: 'u64', paymentPreimage: { kind: 'fixed', length: 32 } },
    tlvs: {
      attributionData: [
        1,
        {
          kind: 'struct',
          fields: {
            htlcHoldTimes: { kind: 'times', count: 20, of: 'u32' },
            truncatedHmacs: { kind: 'fixed', length: 840 },
          },
        },
      ],
      // lightning/bolts#1344.
      fulfillmentPayload: [3, 'remaining'],
    },
  },
  update_fail_htlc: {
    type: 131,
    fields: { channelId: 'channelId', id: 'u64', reason: 'bytes' },
    tlvs: {
      attributionData: [
        1,
        {
          kind: 'struct',
          fields: {
            htlcHoldTimes: { kind: 'times', count: 20, of: 'u32' },
            truncatedHmacs: { kind: 'fixed', length: 840 },
          },
        },
      ],
    },
  },
  commitment_signed: {
    type: 132,
    fields: { channelId: 'channelId', signature: 'signature', htlcSignature: { kind: 'counted', of: 'signature' } },
    tlvs: { fundingTxid: [1, 'sha256'] },
  },
  revoke_and_ack: {
    type: 133,
    fields: {
      channelId: 'channelId',
      perCommitmentSecret: { kind: 'fixed', length: 32 },
      nextPerCommitmentPoint: 'point',
    },
    tlvs: {},
  },
  update_fee: { type: 134, fields: { channelId: 'channelId', feeratePerKw: 'u32' }, tlvs: {} },
  update_fail_malformed_htlc: {
    type: 135,
    fields: { channelId: 'channelId', id: 'u64', sha256OfOnion: 'sha256', failureCode: 'u16' },
    tlvs: {},
  },
  channel_reestablish: {
    type: 136,
    fields: {
      channelId: 'channelId',
      nextCommitmentNumber: 'u64',
      nextRevocationNumber: 'u64',
      yourLastPerCommitmentSecret: { kind: 'fixed', length: 32 },
      myCurrentPerCommitmentPoint: 'point',
    },
    tlvs: {
      nextFunding: [1, { kind: 'struct', fields: { nextFundingTxid: 'sha256', retransmitFlags: 'u8' } }],
      myCurrentFundingLocked: [
        5,
        { kind: 'struct', fields: { myCurrentFundingLockedTxid: 'sha256', retransmitFlags: 'u8' } },
      ],
    },
  },
} as const;
