import { z } from 'zod';
import { DnsName, IpAddress, IpPrefix, Name, Port, text } from '../fields.ts';
import { Version } from './release.ts';

export const FleetSpec = z
  .strictObject({
    cluster: Name.describe('Name of the Cluster that its servers make. A cluster has one Fleet.'),
    release: Name.describe('Name of the Release that has the files of these versions.'),
    versions: z
      .strictObject({
        kubernetes: Version.describe('Of the API server, the controllers and kubectl.'),
        kubelet: Version.optional().describe('Of kubelet and kube-proxy; absent: that of Kubernetes.'),
        etcd: Version.describe('Of etcd and its tools.'),
        containerd: Version.describe('Of containerd.'),
      })
      .describe('What runs. Only what is named here is installed.'),
    upgradesFrom: Version.optional().describe(
      'The version of Kubernetes that runs now, during an upgrade; a minor version that would be skipped is refused.',
    ),
    network: z
      .strictObject({
        pods: z
          .array(IpPrefix)
          .min(1)
          .max(16)
          .describe("Prefixes of pods, inside the `pods` prefixes of the cluster's sites."),
        services: z
          .array(IpPrefix)
          .min(1)
          .max(2)
          .describe('Prefixes of Services, at most one of each family. They are not announced and overlap nothing.'),
        domain: DnsName.default('cluster.local').describe('DNS domain of Services.'),
      })
      .describe('Prefixes and names inside the cluster.'),
    api: z
      .strictObject({
        vip: IpAddress.describe(
          "Address that every healthy control-plane server announces; inside the `vips` prefixes of the cluster's sites.",
        ),
        port: Port.default(6443).describe('Port of the API server.'),
        names: z.array(DnsName).max(16).prefault([]).describe('DNS names of the API server, for its certificate.'),
      })
      .describe('How the API server is reached.'),
    etcd: z
      .strictObject({
        quotaGiB: z.int().min(2).max(8).default(8).describe('Largest size of its data.'),
        heartbeatMs: z.int().min(50).max(1000).default(100).describe('Heartbeat; election takes ten times as long.'),
        snapshots: z
          .strictObject({
            everyHours: z.int().min(1).max(168).default(6).describe('Hours between two snapshots of a member.'),
            keep: z.int().min(1).max(1000).default(28).describe('Snapshots that a member keeps.'),
            copyCommand: z
              .array(text(1024))
              .min(2)
              .max(64)
              .optional()
              .describe(
                'A program on the members and its arguments, which copies a snapshot to another place: `{snapshot}` is its path, `{server}` the name of the member. It runs as the user etcd after each snapshot, for an hour at most; no shell reads it. Absent: snapshots stay on the members.',
              ),
          })
          .prefault({})
          .describe('Snapshots on the disk of each member, and their copies elsewhere.'),
      })
      .prefault({})
      .describe('Its settings. Members are the servers with the role `etcd`.'),
    ipam: z
      .union([
        z.strictObject({
          calico: z
            .strictObject({
              blockLength: z
                .int()
                .min(20)
                .max(122)
                .default(26)
                .describe('Prefix length of an IPv4 block; IPv6 blocks have 122.'),
              maxBlocksPerWorker: z.int().min(1).max(64).default(4).describe('Blocks that one worker may hold.'),
            })
            .describe("Calico's IPAM: workers take blocks as they need them."),
        }),
        z.strictObject({
          static: z
            .strictObject({
              ipv4Length: z.int().min(16).max(30).default(24).describe('Length of the IPv4 prefix of each worker.'),
              ipv6Length: z
                .int()
                .min(48)
                .max(124)
                .default(64)
                .describe('Length of the IPv6 prefix of each worker, at most 16 more than that of `pods`.'),
            })
            .describe('Each worker has one prefix of each family, given by the controller-manager.'),
        }),
      ])
      .prefault({ calico: {} })
      .describe('How pods get addresses: exactly one of `calico` or `static`.'),
    audit: z
      .strictObject({
        maxAgeDays: z.int().min(1).max(3650).default(30).describe('Days that a log is kept.'),
        maxFiles: z.int().min(1).max(1000).default(10).describe('Rotated logs that are kept.'),
        maxSizeMiB: z.int().min(1).max(10_000).default(100).describe('MiB at which a log is rotated.'),
      })
      .prefault({})
      .describe('The audit log of the API server.'),
    admission: z
      .strictObject({
        podSecurity: z
          .enum(['privileged', 'baseline', 'restricted'])
          .default('baseline')
          .describe('Pod Security Standard of namespaces that choose none.'),
      })
      .prefault({})
      .describe('What the API server refuses unless a namespace says otherwise.'),
    monitoring: z
      .strictObject({ port: Port.default(9100).describe('Port of the exporter.') })
      .optional()
      .describe('A node exporter of Prometheus on the address of every server; absent: none.'),
    waves: z
      .strictObject({
        canary: z.int().min(1).max(100).default(1).describe('Workers of the first wave.'),
        maxWorkers: z.int().min(1).max(1000).default(20).describe('Workers of each further wave, all in one rack.'),
      })
      .prefault({})
      .describe(
        'How many servers are touched at once. Members of etcd and control-plane servers are always touched one by one.',
      ),
  })
  .describe(
    'What the servers of a cluster are made into: versions, prefixes, the API address, etcd, safety. It is read from files only.',
  );
