// What browsers have and Node 18 has not as a global.
import { webcrypto } from 'node:crypto';

globalThis.crypto ??= webcrypto as Crypto;
