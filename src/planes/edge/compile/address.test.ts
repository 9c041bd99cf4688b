import { describe, expect, test } from 'vitest';
import { endpointRows } from '../../../../test/support/data-plane-tables.ts';
import { checkAddress } from './address.ts';

describe('the table of addresses', () => {
  test.each(endpointRows())('$address: $verdict ($why)', ({ address, verdict }) => {
    const checked = checkAddress(address);
    expect(checked.ok ? 'accepted' : checked.reason).toBe(verdict);
    // The table has canonical texts, so that the data plane is asked about the same text.
    if (checked.ok) expect(checked.address).toBe(address);
  });

  test('holds both verdicts of both families', () => {
    const kinds = endpointRows().map(({ address, verdict }) => `${address.includes(':') ? 6 : 4} ${verdict}`);
    const wanted = [4, 6].flatMap((family) => [`${family} accepted`, `${family} EndpointAddressForbidden`]);
    expect(new Set(kinds)).toEqual(new Set([...wanted, '4 EndpointAddressInvalid', '6 EndpointAddressInvalid']));
  });
});

test.each([
  ['::FFFF:127.0.0.1', '::ffff:7f00:1 is ipv4Mapped'],
  ['::127.0.0.1', '::ffff:7f00:1 is ipv4Mapped'],
  ['0:0:0:0:0:0:7f00:1', '::7f00:1 is reserved'],
  ['64:FF9B::127.0.0.1', '64:ff9b::7f00:1 is rfc6052'],
  ['240.0.0.1', '240.0.0.1 is reserved'],
  ['255.255.255.255', '255.255.255.255 is broadcast'],
])('another spelling of a forbidden address is forbidden too: %s', (address, message) => {
  expect(checkAddress(address)).toEqual({ ok: false, reason: 'EndpointAddressForbidden', message });
});

test('another spelling of an allowed address becomes its canonical form', () => {
  expect(checkAddress('2001:DB8:0:0::1')).toEqual({ ok: true, address: '2001:db8::1', family: 6 });
});
