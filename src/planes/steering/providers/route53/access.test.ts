import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { systemClock } from '../../../../runtime/clock.ts';
import { route53Access } from './access.ts';

const role = 'arn:aws:iam::111122223333:role/dns';
const servers: Server[] = [];
let folder = '';

afterEach(async () => {
  vi.unstubAllEnvs();
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
  await rm(folder, { recursive: true, force: true });
});

/** A server that answers every request alike; resolves with its address, and with what it was asked, once it is. */
async function serve(status: number, answer: string) {
  const asked: { readonly url: string; readonly headers: Readonly<Record<string, unknown>>; readonly body: string }[] =
    [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on('end', () => {
      asked.push({ url: request.url ?? '', headers: request.headers, body });
      response.writeHead(status, { 'content-type': 'text/xml' }).end(answer);
    });
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

const assumed = `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>
<AccessKeyId>ASIAOFTHEROLE</AccessKeyId><SecretAccessKey>secret</SecretAccessKey><SessionToken>token-of-the-role</SessionToken>
<Expiration>2100-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`;
const error = (code: string): string =>
  `<ErrorResponse><Error><Code>${code}</Code><Message>not for you</Message></Error></ErrorResponse>`;

/** The environment and files of somebody with keys of their own, and a profile that is a role in the account of the zone. */
async function becomeTheRole(sts: string): Promise<void> {
  folder = await mkdtemp(join(tmpdir(), 'tideline-role-'));
  const config = join(folder, 'config');
  await writeFile(config, `[profile dns]\nrole_arn = ${role}\nsource_profile = person\nrole_session_name = tideline\n`);
  const keys = join(folder, 'credentials');
  await writeFile(keys, '[person]\naws_access_key_id = AKIAOFTHEPERSON\naws_secret_access_key = secret\n');
  vi.stubEnv('AWS_CONFIG_FILE', config);
  vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', keys);
  vi.stubEnv('AWS_ENDPOINT_URL_STS', sts);
  vi.stubEnv('AWS_PROFILE', 'dns');
}

const variables = new Map([['AWS_PROFILE', 'dns']]);
const connectionTo = (url: string) => ({ url, variables, clock: systemClock, random: Math.random, patienceMs: 0 });

test('a profile that is a role of another account is assumed, and every request is made as that role', async () => {
  const sts = await serve(200, assumed);
  const api = await serve(403, error('AccessDenied'));
  await becomeTheRole(sts.url);
  const reader = await route53Access.reader(connectionTo(api.url));
  await expect(reader.read('video.example')).rejects.toThrow(/AccessDenied: not for you/);
  expect(new URLSearchParams(sts.asked[0]?.body).get('RoleArn')).toBe(role);
  expect(sts.asked[0]?.headers['authorization']).toContain('Credential=AKIAOFTHEPERSON/');
  for (const { headers } of api.asked) {
    expect(headers['authorization']).toContain('Credential=ASIAOFTHEROLE/');
    expect(headers['x-amz-security-token']).toBe('token-of-the-role');
  }
});

test('a role that may not be assumed is named before Route 53 is asked', async () => {
  const sts = await serve(403, error('AccessDenied'));
  const api = await serve(403, error('AccessDenied'));
  await becomeTheRole(sts.url);
  await expect(route53Access.reader(connectionTo(api.url))).rejects.toThrow(
    /no credentials for route53: not for you.*\(MissingCredentials\)/s,
  );
  expect(api.asked).toEqual([]);
});

const ofTheSession = JSON.stringify({
  roleCredentials: {
    accessKeyId: 'ASIAOFTHESESSION',
    secretAccessKey: 'secret',
    sessionToken: 'token-of-the-session',
    expiration: Date.UTC(2100, 0),
  },
});
const session = { name: 'company', startUrl: 'https://company.awsapps.com/start' };

/**
 * The environment and files of somebody who ran `aws sso login` at some time: the token lies in the cache as the command leaves it. The profile `zone` is a
 * role beyond the one of the session.
 */
async function becomeSignedIn(sso: string, expiresAt: string): Promise<void> {
  folder = await mkdtemp(join(tmpdir(), 'tideline-sso-'));
  const cache = join(folder, '.aws/sso/cache');
  await mkdir(cache, { recursive: true });
  const { name, startUrl } = session;
  const config = [
    `[sso-session ${name}]\nsso_start_url = ${startUrl}\nsso_region = eu-west-1\nsso_registration_scopes = sso:account:access\n`,
    `[profile dns]\nsso_session = ${name}\nsso_account_id = 111122223333\nsso_role_name = dns\n`,
    `[profile zone]\nrole_arn = ${role}\nsource_profile = dns\nrole_session_name = tideline\n`,
  ];
  await writeFile(join(folder, '.aws/config'), config.join(''));
  const token = { startUrl, region: 'eu-west-1', accessToken: 'token-of-the-person', expiresAt };
  await writeFile(join(cache, `${createHash('sha1').update(name).digest('hex')}.json`), JSON.stringify(token));
  vi.stubEnv('HOME', folder);
  vi.stubEnv('AWS_ENDPOINT_URL_SSO', sso);
}

const ofProfile = (url: string, profile: string) => {
  vi.stubEnv('AWS_PROFILE', profile);
  return { ...connectionTo(url), variables: new Map([['AWS_PROFILE', profile]]) };
};

test('who has signed in by SSO is known by the token in its cache, and a role beyond it is assumed with what it gave', async () => {
  const [sso, sts, api] = [
    await serve(200, ofTheSession),
    await serve(200, assumed),
    await serve(403, error('AccessDenied')),
  ];
  await becomeSignedIn(sso.url, '2100-01-01T00:00:00Z');
  vi.stubEnv('AWS_ENDPOINT_URL_STS', sts.url);
  const reader = await route53Access.reader(ofProfile(api.url, 'dns'));
  await expect(reader.read('video.example')).rejects.toThrow(/AccessDenied: not for you/);
  expect(sso.asked[0]?.url).toBe('/federation/credentials?account_id=111122223333&role_name=dns');
  expect(sso.asked[0]?.headers['x-amz-sso_bearer_token']).toBe('token-of-the-person');
  expect(api.asked[0]?.headers['authorization']).toContain('Credential=ASIAOFTHESESSION/');
  expect(sts.asked).toEqual([]);

  const beyond = await route53Access.reader(ofProfile(api.url, 'zone'));
  await expect(beyond.read('video.example')).rejects.toThrow(/AccessDenied: not for you/);
  expect(sts.asked[0]?.headers['authorization']).toContain('Credential=ASIAOFTHESESSION/');
  expect(api.asked.at(-1)?.headers['authorization']).toContain('Credential=ASIAOFTHEROLE/');
});

test('a sign-in that has ended is named with the command that renews it, before anybody is asked', async () => {
  const [sso, api] = [await serve(200, ofTheSession), await serve(403, error('AccessDenied'))];
  await becomeSignedIn(sso.url, '2020-01-01T00:00:00Z');
  await expect(route53Access.reader(ofProfile(api.url, 'dns'))).rejects.toThrow(
    /no credentials for route53: .*aws sso login.*\(MissingCredentials\)/s,
  );
  expect([...sso.asked, ...api.asked]).toEqual([]);
});
