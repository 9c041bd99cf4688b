import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { zoneMiB } from '../table.ts';
import { selfSigned } from './certificate.ts';
import { checkSettings, type NginxSettings, nginxConf } from './conf.ts';

const settings: NginxSettings = {
  rendered: '/etc/tideline/nginx',
  runDir: '/run/tideline',
  temporaryDir: '/var/cache/tideline/nginx',
  httpPort: 80,
  httpsPort: 443,
  ipv6: true,
  user: 'www-data',
  workers: 'auto',
  accessLog: true,
  syslog: false,
  maxBodyMiB: 64,
  clients: { requests: 4096, bodies: 256 },
  zoneMiB,
};

describe('nginx.conf', () => {
  it('uses neither rewrite nor maps with expressions', () => {
    const text = nginxConf(settings);
    expect(text).not.toMatch(/\brewrite\s/);
    expect(text).not.toMatch(/^\s+~/m);
    expect(text).toContain('max_headers');
  });

  it('gives no two pools of idle connections names that agree in both length and first letter', () => {
    const names = [...nginxConf(settings).matchAll(/^ *upstream (\S+) \{/gm)].map(([, name = '']) => name);
    expect(names).toHaveLength(64);
    expect(new Set(names.map((name) => `${name.length}${name.charAt(0)}`)).size).toBe(64);
  });

  it('listens on the pool’s ports, on IPv6 when there is any', () => {
    const listens = (of: Partial<NginxSettings>) => nginxConf({ ...settings, ...of }).match(/listen [^;]*/g) ?? [];
    expect(listens({ httpPort: 8080, ipv6: false })).toEqual([
      'listen 8080 default_server backlog=4096',
      'listen 443 default_server ssl http2 backlog=4096',
      'listen unix:/run/tideline/nginx-control/nginx.sock',
    ]);
    expect(listens({})).toHaveLength(5);
  });

  it('believes what proxies say of a client only from their own addresses', () => {
    const text = (via: 'forwardedHeaders' | 'proxyProtocol') =>
      nginxConf({ ...settings, trustedProxies: { prefixes: ['10.0.0.0/8', '2001:db8::/32'], via } });
    expect(nginxConf(settings)).not.toMatch(/real_ip|proxy_protocol|x_forwarded_proto|X-Forwarded-For;/);
    expect(text('forwardedHeaders').match(/set_real_ip_from .*;|real_ip_header .*;|listen \d.*/g)).toEqual([
      'set_real_ip_from 10.0.0.0/8;',
      'set_real_ip_from 2001:db8::/32;',
      'real_ip_header X-Forwarded-For;',
      'listen 80 default_server backlog=4096;',
      'listen 443 default_server ssl http2 backlog=4096;',
    ]);
    expect(text('proxyProtocol')).not.toContain('http_x_forwarded_proto');
    expect(text('proxyProtocol').match(/real_ip_header .*;|listen [^u].*/g)).toEqual([
      'real_ip_header proxy_protocol;',
      'listen 80 default_server proxy_protocol backlog=4096;',
      'listen 443 default_server ssl http2 proxy_protocol backlog=4096;',
      'listen [::]:80 default_server proxy_protocol ipv6only=on backlog=4096;',
      'listen [::]:443 default_server ssl http2 proxy_protocol ipv6only=on backlog=4096;',
    ]);
  });

  it('logs to files of the run directory, or to the server; alerts to a file, for the workers', () => {
    const logs = (of: Partial<NginxSettings>) =>
      nginxConf({ ...settings, ...of })
        .match(/(access|error)_log [^;]*/g)
        ?.filter((line) => line !== 'access_log off');
    const alerts = 'error_log /run/tideline/nginx-alerts.log alert';
    expect(logs({})).toEqual([
      'error_log /run/tideline/nginx-error.log warn',
      alerts,
      'access_log /run/tideline/nginx-access.log tideline buffer=64k flush=1s if=$tideline_logged',
    ]);
    const syslog = 'syslog:server=unix:/dev/log,nohostname,tag';
    expect(logs({ syslog: true })).toEqual([
      `error_log ${syslog}=tideline_nginx warn`,
      alerts,
      `access_log ${syslog}=tideline_access tideline if=$tideline_logged`,
    ]);
    expect(logs({ accessLog: false })).toHaveLength(2);
  });

  it('leaves half of a worker’s connections to clients and busy pods, whatever is idle', () => {
    const text = nginxConf(settings);
    const idle = [...text.matchAll(/keepalive (\d+);/g)].reduce((sum, [, kept]) => sum + Number(kept), 0);
    const connections = Number(/worker_connections (\d+);/.exec(text)?.[1]);
    expect(idle).toBeGreaterThanOrEqual(8192);
    expect(idle).toBeLessThanOrEqual(connections / 2);
    const unit = readFileSync(new URL('../../../../deploy/systemd/tideline-nginx.service', import.meta.url), 'utf8');
    // A connection with a large body has a temporary file as well.
    expect(Number(/LimitNOFILE=(\d+)/.exec(unit)?.[1])).toBeGreaterThanOrEqual(2 * connections);
  });

  it('keeps what clients send out of the run directory, which is memory', () => {
    const folders = [...nginxConf(settings).matchAll(/temp_path (\S+)\//g)].map(([, folder]) => folder);
    expect(folders).toEqual(Array(5).fill('/var/cache/tideline/nginx'));
    const unit = (name: string) =>
      readFileSync(new URL(`../../../../deploy/systemd/${name}.service`, import.meta.url), 'utf8');
    expect(unit('tideline-nginx-render')).toContain(`--temporary-dir ${settings.temporaryDir} `);
    expect(unit('tideline-nginx')).toMatch(/^CacheDirectory=tideline\/nginx$/m);
  });

  it('refuses settings that nginx would read as something else', () => {
    expect(checkSettings(settings)).toEqual([]);
    for (const runDir of ['relative', '/run/a b', '/run/x;y', '/run/$host', '/run/"', `/${'x'.repeat(100)}`])
      expect(checkSettings({ ...settings, runDir })).toHaveLength(1);
    expect(checkSettings({ ...settings, temporaryDir: '/var/cache/a b' })).toHaveLength(1);
    expect(checkSettings({ ...settings, user: 'root; x' })).toHaveLength(1);
    expect(checkSettings({ ...settings, workers: 0 })).toHaveLength(1);
  });
});

describe('the static certificate', () => {
  it('is a certificate that its own key signed', () => {
    const now = Date.UTC(2026, 10, 22);
    const { certificate, key } = selfSigned('default.tideline.invalid', now);
    const parsed = new X509Certificate(certificate);
    expect(parsed.verify(parsed.publicKey)).toBe(true);
    expect(parsed.subject).toBe('CN=default.tideline.invalid');
    expect(parsed.checkHost('default.tideline.invalid')).toBe('default.tideline.invalid');
    expect(new Date(parsed.validFrom).getTime()).toBeLessThan(now);
    expect(new Date(parsed.validTo).getTime()).toBeGreaterThan(now + 3000 * 86_400_000);
    expect(key).toContain('PRIVATE KEY');
  });
});
