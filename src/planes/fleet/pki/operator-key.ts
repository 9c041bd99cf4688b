import { createPrivateKey, type KeyObject, sign } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { messageOf } from '../../../model/values.ts';
import { readBounded } from '../../../runtime/bounded-file.ts';
import type { SignDocument } from '../folder.ts';
import { badFleet } from '../reasons.ts';

const mostBytes = 65_536;

/** Signs documents by the private key in this file. Throws an InputError (`SigningKeyUnfit`) when it is none that may be used. */
export async function documentSigner(file: string): Promise<SignDocument> {
  const key = await keyIn(file);
  return (text) => sign(null, Buffer.from(text), key).toString('base64');
}

async function keyIn(file: string): Promise<KeyObject> {
  const fix = 'make one by: openssl genpkey -algorithm ed25519 -out operator.key';
  const unfit = (why: string, what = fix) => badFleet('SigningKeyUnfit', `--signing-key: ${file} ${why}`, what);
  const read = async () => {
    try {
      return { pem: await readBounded(file, mostBytes), mode: (await stat(file)).mode };
    } catch (error) {
      throw unfit(`cannot be read: ${messageOf(error)}`);
    }
  };
  const { pem, mode } = await read();
  if ((mode & 0o077) !== 0) throw unfit('may be read by others', `run: chmod 0600 ${file}`);
  const key = parsed(pem);
  if (key?.asymmetricKeyType !== 'ed25519') throw unfit('is no private key of Ed25519 without a passphrase');
  return key;
}

function parsed(pem: Buffer): KeyObject | undefined {
  try {
    return createPrivateKey(pem);
  } catch {
    return undefined;
  }
}
