import { GlowwormError } from '../primitives/errors.ts';

/** What a signer throws in the place of a signature, with what must hold for one. */
export const refused = (what: string): GlowwormError =>
  new GlowwormError('SignerRefused', `the signer refuses, for it must hold that ${what}`);
