/** Throw-away certificates, for tests in `src`, which may not know the lab. */
export { createAuthority } from '../../lab/control-plane/pki/certificate.ts';
