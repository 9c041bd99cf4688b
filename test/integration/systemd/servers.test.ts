import { readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EdgeStatus, NetworkStatus } from '../../../src/model/status.ts';
import { promised } from '../../support/promised.ts';
import { keepSpecOf } from '../../support/spec-copy.ts';
import type { Machine } from '../../support/systemd/machine.ts';
import { commandsOf, Rack, until } from '../../support/systemd/rack.ts';
import { type Task, taskNamed } from '../../support/tasks.ts';

const addresses = { blade: '10.1.0.21', worker: '10.1.0.11' };
const vip = '192.0.2.10';
/** The block of paris-worker-1 in examples/hybrid. */
const block = '10.10.1.0/26';
/** The times of docs/operations/servers.md and of the README of src/bgp. */
const startedAgainMs = 6000;
const relayKilledMs = 20_000;
const rack = new Rack(addresses);
let blade: Machine;
let worker: Machine;
const unitNames = {
  blade: ['tideline-nginx', 'tideline-exabgp', 'tideline-edge-agent'],
  worker: ['tideline-exabgp', 'tideline-network-agent'],
} as const;
const everyUnit = [
  ['blade', 'tideline-nginx'],
  ['blade', 'tideline-exabgp'],
  ['blade', 'tideline-edge-agent'],
  ['worker', 'tideline-exabgp'],
  ['worker', 'tideline-network-agent'],
] as const;
const machineOf = (name: 'blade' | 'worker'): Machine => (name === 'blade' ? blade : worker);

/**
 * Copies what the administrator brings: the platform spec, in which the blade is not a part of its pool yet, and the kubeconfig. The agents read the
 * example's manifest folders.
 */
const bring = `
install -d -m 0755 /etc/tideline
cp -r /opt/tideline/examples/hybrid /etc/tideline/platform
sed -i '/name: paris-blade-1,/d' /etc/tideline/platform/clusters.yaml
(umask 077; echo "a secret" >/etc/tideline/kubeconfig)
for agent in edge network; do
  install -d /etc/systemd/system/tideline-$agent-agent.service.d
  printf '[Service]\\nExecStart=\\n' >/etc/systemd/system/tideline-$agent-agent.service.d/manifests.conf
  sed -n '/^ExecStart=/,/[^\\\\]$/p' /opt/tideline/deploy/systemd/tideline-$agent-agent.service | grep -v kubeconfig \\
    >>/etc/systemd/system/tideline-$agent-agent.service.d/manifests.conf
done
`;

/** The edit and the commands of a task, in the folder that has the spec as `platform`. */
function inFolder({ edit, commands }: Task): string {
  const edits = edit?.file === undefined ? [] : [`sed -i '${edit.text}' ${edit.file}`];
  return ['cd /etc/tideline', ...edits, ...commands].join('\n');
}

const edge = async (): Promise<EdgeStatus> =>
  JSON.parse(await rack.get(addresses.blade, 9464, '/status')) as EdgeStatus;
const network = async (): Promise<NetworkStatus> =>
  JSON.parse(await rack.get(addresses.worker, 9463, '/status')) as NetworkStatus;
const journals = async (name: 'blade' | 'worker'): Promise<string> =>
  (await Promise.all(unitNames[name].map((unit) => machineOf(name).journal(unit)))).join('\n');

const serving = (): Promise<void> =>
  until(
    'the VIP is announced and answers',
    async () =>
      (await rack.routes()).includes(vip) && (await edge()).vips[0]?.announced === true && (await answers(vip, 80)),
    () => journals('blade'),
  );
const announcing = (): Promise<void> =>
  until(
    'the block is announced and has its blackhole',
    async () => (await rack.routes()).includes(block) && (await blackholes()).includes(block),
    () => journals('worker'),
  );
const blackholes = (): Promise<string> =>
  rack.network.ip('worker', 'route', 'show', 'type', 'blackhole', 'proto', '114');
const pidOf = async (name: 'blade' | 'worker', unit: string): Promise<string> =>
  (await machineOf(name).sh(`systemctl show -P MainPID ${unit}`)).trim();

beforeAll(async () => {
  await rack.start();
  [blade, worker] = await Promise.all([rack.boot('blade'), rack.boot('worker')]);
  for (const [machine, task] of [
    [blade, taskNamed('add a blade')],
    [worker, taskNamed('add a worker')],
  ] as const) {
    await machine.sh(bring);
    await machine.sh(inFolder(task));
  }
  await Promise.all([serving(), announcing()]);
});
afterAll(() => rack.stop());

describe('what the documented commands install and start', () => {
  it('finds the command and its manual page on a server', async () => {
    expect(await blade.sh('/usr/local/bin/tideline --version')).toMatch(/^tideline \d/);
    expect(await blade.sh('head -2 /usr/local/share/man/man1/tideline.1')).toContain('.TH TIDELINE 1');
  });

  it.each(everyUnit)('%s: %s runs as an ordinary user that can gain nothing', async (name, unit) => {
    // Agents start short processes, which may be over before they are looked at.
    const statuses = await machineOf(name).sh(
      `for p in $(cat /sys/fs/cgroup/system.slice/${unit}.service/cgroup.procs); do cat /proc/$p/status 2>/dev/null || :; done`,
    );
    const values = (key: string): readonly string[] => [
      ...new Set([...statuses.matchAll(new RegExp(`^${key}:\\s*(\\S+)`, 'gm'))].map(([, value = '']) => value)),
    ];
    const allowed = unit.endsWith('agent') ? 'cap_net_admin' : 'cap_net_bind_service';
    const hex = (BigInt(1) << BigInt(allowed === 'cap_net_admin' ? 12 : 10)).toString(16).padStart(16, '0');
    expect(values('Uid')).not.toContain('0');
    expect(['CapPrm', 'CapEff', 'CapBnd', 'CapAmb'].map((key) => values(key))).toEqual(Array(4).fill([hex]));
    expect([values('NoNewPrivs'), values('Seccomp')]).toEqual([['1'], ['2']]);
  });

  it.each([
    ['blade', 'tideline-nginx', ['/run/tideline/nginx', '/var/cache/tideline/nginx']],
    ['blade', 'tideline-exabgp', ['/run/tideline/bgp']],
    ['blade', 'tideline-edge-agent', ['/var/cache/tideline/edge', '/var/lib/tideline/edge']],
    ['worker', 'tideline-exabgp', ['/run/tideline/bgp']],
    ['worker', 'tideline-network-agent', ['/var/cache/tideline/network', '/var/lib/tideline/network']],
  ] as const)('%s: %s may write to its own folders and nowhere else', async (name, unit, folders) => {
    const pid = await pidOf(name, unit);
    const mounts = (await machineOf(name).sh(`cat /proc/${pid}/mountinfo`)).split('\n').map((line) => line.split(' '));
    const writable = mounts.filter(([, , , , , options = '']) => /^rw\b/.test(options)).map(([, , , , at = '']) => at);
    // Left out are the kernel's own mounts, and those that are private to the unit: an empty /dev and /tmp.
    const own = writable.filter((at) => !/^\/(?:dev|proc|tmp|var\/tmp|sys)(?:\/|$)/.test(at));
    expect([...new Set(own)].toSorted()).toEqual([...folders]);
  });

  it('keeps the agents apart from what is not theirs', async () => {
    const look = async (unit: string, path: string): Promise<string> =>
      (
        await blade.try(
          `nsenter -t ${await pidOf('blade', unit)} -m -r setpriv --reuid tideline --clear-groups ls ${path}`,
        )
      ).output;
    expect(await look('tideline-nginx', '/var/lib/tideline/edge')).toContain('Permission denied');
    expect(await look('tideline-nginx', '/run/tideline/bgp')).toContain('Permission denied');
    expect(await look('tideline-nginx', '/run/credentials')).toMatch(/Permission denied|No such file/);
    expect(await look('tideline-edge-agent', '/etc/tideline/kubeconfig -l')).toContain('root');
    expect(await look('tideline-edge-agent', '/run/credentials/tideline-edge-agent.service')).toBe('kubeconfig\n');
  });

  it("closes its sockets and the snapshot with the certificates' keys to everyone else", async () => {
    const files = [
      '/run/tideline/nginx',
      '/run/tideline/bgp',
      '/var/lib/tideline/edge',
      '/var/cache/tideline/nginx',
      '/run/tideline/nginx/nginx-control/nginx.sock',
    ];
    const modes = await blade.sh(`stat -c '%a %U' ${files.join(' ')}`);
    expect(modes.trim().split('\n')).toEqual([...Array<string>(4).fill('700 tideline'), '600 tideline']);
  });
});

describe('a server without a folder', () => {
  it('renders nginx and ExaBGP from what its agent kept of the API, and says when nothing was kept', async () => {
    const copy = '/var/lib/tideline/edge/platform-edge-paris.json';
    const file = join(tmpdir(), 'tideline-kept-spec.json');
    await keepSpecOf('examples/hybrid', file);
    const text = await readFile(file, 'utf8');
    await rm(file);
    const render = 'systemctl start tideline-nginx-render tideline-exabgp-render';
    const rendered = '/var/lib/tideline/nginx/nginx.conf /var/lib/tideline/bgp/exabgp.conf';
    await blade.sh(`
      cp /etc/tideline/server.env /etc/tideline/server.env.kept
      mv /etc/tideline/platform /etc/tideline/away
      cp /opt/tideline/deploy/systemd/examples/without-folder.env /etc/tideline/server.env
      mkdir /tmp/rendered; cp -p ${rendered} /tmp/rendered; rm ${rendered}`);
    expect(await blade.try(render)).toMatchObject({ code: 1 });
    expect(await blade.journal('tideline-nginx-render')).toMatch(/no agent has kept a platform spec.*PlatformMissing/);
    await blade.sh(
      `cat >${copy} <<'END'\n${text}\nEND\nchown tideline: ${copy}; ${render}; cmp /tmp/rendered/exabgp.conf /var/lib/tideline/bgp/exabgp.conf`,
    );
    expect(await blade.sh(`cat ${rendered}`)).toContain('Made by "tideline edge render"');
    expect(await blade.journal('tideline-exabgp-render')).toContain(`kept in ${copy}`);
    await blade.sh(`
      rm ${copy}; rm -r /tmp/rendered; mv /etc/tideline/away /etc/tideline/platform
      mv /etc/tideline/server.env.kept /etc/tideline/server.env; ${render}`);
    await serving();
  });
});

describe('systemd', () => {
  it('finds no fault in the units, and does in one that has one', async () => {
    const wrong = '[Service]\\nExecStart=/bin/true\\nRestartSecs=1\\n';
    expect(
      await blade.sh(
        `printf '${wrong}' >/run/wrong.service; systemd-analyze verify /run/wrong.service; rm /run/wrong.service`,
      ),
    ).toContain('RestartSecs');
    expect(
      await blade.sh(
        'systemd-analyze verify /etc/systemd/system/tideline-*.service /etc/systemd/system/tideline-*.target',
      ),
    ).toBe('');
  });

  it.each([
    ['tideline-edge-agent', 16],
    ['tideline-network-agent', 16],
    ['tideline-steering-agent', 16],
    ['tideline-nginx', 14],
    ['tideline-exabgp', 14],
    ['tideline-nginx-render', 6],
    ['tideline-exabgp-render', 6],
  ])('rates the exposure of %s at %i tenths at most', async (unit, threshold) => {
    const path = `/etc/systemd/system/${unit}.service`;
    await blade.sh(`systemd-analyze security --no-pager --offline=true --threshold=${threshold} ${path}`);
  });
});

describe('a capability less', () => {
  it.each([
    ['blade', 'tideline-nginx', async () => !(await answers(vip, 80))],
    ['blade', 'tideline-exabgp', async () => !(await listens())],
    ['blade', 'tideline-edge-agent', async () => Object.keys((await edge()).vipsMissing).includes(vip)],
    ['worker', 'tideline-exabgp', async () => !(await rack.established('worker'))],
    ['worker', 'tideline-network-agent', async () => JSON.stringify((await network()).refusals).includes('Blackhole')],
  ] as const)('%s: %s does not do its work without its one capability', async (name, unit, broken) => {
    const machine = machineOf(name);
    const dropIn = `/etc/systemd/system/${unit}.service.d/none.conf`;
    await machine.sh(`
      mkdir -p ${dropIn.slice(0, dropIn.lastIndexOf('/'))}
      printf '[Service]\\nCapabilityBoundingSet=\\nAmbientCapabilities=\\n' >${dropIn}
      ip address del ${vip}/32 dev lo 2>/dev/null || true
      ip route flush proto 114 || true
      systemctl daemon-reload; systemctl stop ${unit}; systemctl start --no-block ${unit}`);
    await until(`${unit} says what it misses`, broken, () => machine.journal(unit));
    await machine.sh(`rm ${dropIn}; systemctl daemon-reload; systemctl restart ${unit}`);
    await (name === 'blade' ? serving() : announcing());
  });
});

describe('traffic', () => {
  it('does not feel the restart of an agent', async () => {
    const withdrawn = await rack.watchWithdrawals();
    await Promise.all([
      blade.sh('systemctl restart tideline-edge-agent'),
      worker.sh('systemctl restart tideline-network-agent'),
    ]);
    await Promise.all([serving(), announcing()]);
    expect(await withdrawn()).toEqual([]);
  });

  it('is not moved by stopping an agent: the keeper holds its VIP, the worker its routes', async () => {
    const withdrawn = await rack.watchWithdrawals();
    await Promise.all([
      blade.sh('systemctl stop tideline-edge-agent'),
      worker.sh('systemctl stop tideline-network-agent'),
    ]);
    // This is longer than the lease of a VIP.
    await new Promise((done) => setTimeout(done, 7000));
    expect(await withdrawn()).toEqual([]);
    expect([await rack.routes(), await blackholes()]).toEqual([
      expect.arrayContaining([vip, block]),
      expect.stringContaining(block),
    ]);
    await Promise.all([
      blade.sh('systemctl start tideline-edge-agent'),
      worker.sh('systemctl start tideline-network-agent'),
    ]);
    await Promise.all([serving(), announcing()]);
  });

  it('returns when anything was killed', async () => {
    for (const [name, unit] of everyUnit) {
      const before = await pidOf(name, unit);
      await machineOf(name).sh(`systemctl kill -s KILL ${unit}`);
      const again = async (): Promise<boolean> => !['0', before].includes(await pidOf(name, unit));
      await until(`${unit} is started again`, again, () => machineOf(name).journal(unit), promised(startedAgainMs));
    }
    await Promise.all([serving(), announcing()]);
  });

  it.each([
    ['blade', 'tideline-nginx', serving],
    ['blade', 'tideline-exabgp', serving],
    ['worker', 'tideline-exabgp', announcing],
  ] as const)(
    'on a %s does not wait for a rendering when %s was killed, unless once more',
    async (name, unit, whole) => {
      const machine = machineOf(name);
      const renderings = async (): Promise<string> =>
        (await machine.sh(`systemctl show -P InvocationID ${unit}-render`)).trim();
      const killed = async (): Promise<void> => {
        const before = await pidOf(name, unit);
        await machine.sh(`systemctl kill -s KILL ${unit}`);
        await until(`${unit} is started again`, async () => !['0', before].includes(await pidOf(name, unit)));
        await whole();
      };
      // A restart by a person renders, whatever was killed before.
      await machine.sh(`systemctl restart ${unit}`);
      const first = await renderings();
      await killed();
      expect(await renderings()).toBe(first);
      await killed();
      const second = await renderings();
      expect(second).not.toBe(first);
      await killed();
      expect(await renderings()).toBe(second);
      await machine.sh(`systemctl restart ${unit}`);
      expect(await renderings()).not.toBe(second);
      await whole();
    },
  );

  it('ends a relay that hangs, inside the sandbox of ExaBGP', async () => {
    const exabgp = await pidOf('blade', 'tideline-exabgp');
    const children = `cut -d' ' -f1 /proc/${exabgp}/task/${exabgp}/children`;
    const hung = (await blade.sh(`relay=$(${children}); kill -s STOP $relay; echo $relay`)).trim();
    const another = async (): Promise<boolean> => ![hung, ''].includes((await blade.sh(children)).trim());
    await until('a new relay', another, () => blade.journal('tideline-exabgp'), promised(relayKilledMs));
    expect(await pidOf('blade', 'tideline-exabgp')).toBe(exabgp);
    await Promise.all([serving(), announcing()]);
  });

  it('returns when a worker of nginx ends its master over torn shared memory', async () => {
    const master = await pidOf('blade', 'tideline-nginx');
    const log = '/run/tideline/nginx/nginx-alerts.log';
    // The master logs this of a worker that died inside a zone; the next worker finds it.
    const alert = `2026/11/23 02:34:10 [alert] ${master}#${master}: shared memory zone "tideline_hosts" was locked by 239`;
    await blade.sh(`
      echo '${alert}' >>${log}
      kill -s KILL $(cut -d' ' -f1 /proc/${master}/task/${master}/children)`);
    await until('nginx is started again', async () => !['0', master].includes(await pidOf('blade', 'tideline-nginx')));
    expect(await blade.sh(`grep -F '[emerg]' ${log}`)).toContain(`nginx (${master}) is ended`);
    expect(await blade.journal('tideline-nginx')).toContain(`nginx (${master}) is ended`);
    const files = await blade.sh('ls /run/tideline/nginx');
    expect(files).toContain('nginx-alerts.log');
    expect(files).not.toMatch(/(error|access)\.log/);
    await serving();
  });

  it('is served by the last rendered configuration when the platform spec is broken', async () => {
    await blade.sh('mv /etc/tideline/platform /etc/tideline/gone; systemctl restart tideline-nginx tideline-exabgp');
    await until(
      'nginx serves again',
      async () => answers(vip, 80),
      () => journals('blade'),
    );
    await blade.sh('mv /etc/tideline/gone /etc/tideline/platform');
    await serving();
  });

  it('survives the upgrade as documented, of which the agents are those of the new version', async () => {
    const [upgrade = ''] = taskNamed('upgrade agents').commands;
    expect(await commandsOf('servers.md', 'Day by day')).toContain(`${upgrade}\n`);
    for (const [name, machine, well] of [
      ['blade', blade, serving],
      ['worker', worker, announcing],
    ] as const) {
      const before = await Promise.all(unitNames[name].map((unit) => pidOf(name, unit)));
      await machine.sh(upgrade);
      const after = await Promise.all(unitNames[name].map((unit) => pidOf(name, unit)));
      for (const [index, pid] of after.entries()) expect([before[index], '0']).not.toContain(pid);
      await well();
    }
    await blade.sh(await commandsOf('servers.md', 'Day by day'));
    await serving();
  });

  it('is not risked by an installation of what a server is not', async () => {
    const other = await blade.try('/opt/tideline/deploy/install worker paris paris-worker-2 10.1.0.12');
    expect(other).toMatchObject({ code: 2, output: expect.stringContaining('this server is paris-blade-1') });
    const without = await blade.try('mv /etc/tideline/kubeconfig /tmp/; /opt/tideline/deploy/install');
    expect(without).toMatchObject({ code: 2, output: expect.stringContaining('no kubeconfig of this server') });
    await blade.sh('mv /tmp/kubeconfig /etc/tideline/');
    expect(await blade.try("/opt/tideline/deploy/install blade 'paris edge' x")).toMatchObject({ code: 2 });
    await serving();
  });
});

const answers = async (address: string, port: number): Promise<boolean> =>
  rack.get(address, port, '/.well-known/tideline/health/any').then(
    () => true,
    () => false,
  );
const listens = async (): Promise<boolean> => (await blade.sh('ss -Hltn sport = :179')).trim() !== '';
