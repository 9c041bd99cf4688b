import { ownFile, ownFolder } from '../access.ts';
import { binaries } from '../artifacts.ts';
import { authorityFiles } from '../certificates.ts';
import { etcdUrls, type ServerContext } from '../context.ts';
import type { Component } from '../document.ts';
import { jsonText } from '../text.ts';
import { tlsCiphers } from '../tls.ts';
import { service } from '../unit.ts';
import { admission, audit, authentication } from './kube-apiserver-files.ts';

const own = '/etc/kubernetes/kube-apiserver';
const logs = '/var/log/kubernetes';

/** For so long it goes on serving after it said that it is not ready, so that the routers have taken the VIP away before it ends. */
const farewellSeconds = 5;

export function kubeApiserver(server: ServerContext): Component {
  const file = (value: unknown) => ({ ...ownFile('kube-apiserver'), text: jsonText(value) });
  return {
    name: 'kube-apiserver',
    artifacts: ['kube-apiserver', 'kubectl'],
    directories: {
      [logs]: ownFolder('kube-apiserver'),
    },
    files: {
      [`${own}/admission.json`]: file(admission(server)),
      [`${own}/audit.json`]: file(audit),
      [`${own}/authentication.json`]: file(authentication(server)),
    },
    units: {
      'kube-apiserver.service': {
        text: service({
          description: 'The API server of Kubernetes',
          type: 'notify',
          user: 'kube-apiserver',
          after: ['etcd.service'],
          command: [binaries['kube-apiserver'], ...apiserverFlags(server)],
          capabilities: server.fleet.api.port < 1024 ? ['CAP_NET_BIND_SERVICE'] : [],
          writes: [logs],
          // Requests in flight may take as long as --request-timeout after the farewell.
          stopSeconds: farewellSeconds + 70,
          lines: ['OOMScoreAdjust=-999', 'TimeoutStartSec=180'],
        }),
        running: true,
        watches: [
          'kube-apiserver',
          authorityFiles.kubernetes,
          // It reads that of etcd at its start only; those of its clients it reads again when they change.
          authorityFiles.etcd,
          authorityFiles['front-proxy'],
          ...[
            'admission.json',
            'audit.json',
            'authentication.json',
            'service-accounts.key',
            'service-accounts.pub',
          ].map((name) => `${own}/${name}`),
        ],
        onChange: 'orchestrated',
      },
    },
  };
}

export function apiserverFlags(server: ServerContext): readonly string[] {
  return [
    ...servingFlags(server),
    ...etcdFlags(server),
    ...identityFlags(server),
    ...auditFlags(server),
    '--authorization-mode=Node,RBAC',
    '--enable-admission-plugins=DenyServiceExternalIPs,EventRateLimit,NodeRestriction',
    `--admission-control-config-file=${own}/admission.json`,
    '--allow-privileged=true',
    // Control planes run no kube-proxy, so that the API server reaches the pods of aggregated APIs by their own addresses.
    '--enable-aggregator-routing=true',
    '--profiling=false',
    '--request-timeout=60s',
    '--goaway-chance=0.001',
    `--shutdown-delay-duration=${farewellSeconds}s`,
    '--shutdown-send-retry-after=true',
  ];
}

function servingFlags({ fleet, server, address }: ServerContext): readonly string[] {
  // The API server refuses an address of another family than its first prefix of Services.
  const [services] = fleet.network.services;
  const advertised = server.addresses.find(({ family }) => family === services?.family) ?? address;
  return [
    `--advertise-address=${advertised.text}`,
    `--secure-port=${fleet.api.port}`,
    `--service-cluster-ip-range=${fleet.network.services.map(({ text }) => text).join(',')}`,
    `--tls-cert-file=${own}/serving.crt`,
    `--tls-private-key-file=${own}/serving.key`,
    '--tls-min-version=VersionTLS12',
    `--tls-cipher-suites=${tlsCiphers.join(',')}`,
  ];
}

function etcdFlags(server: ServerContext): readonly string[] {
  const urls = etcdUrls(server, 2379).map(([, url]) => url);
  return [
    `--etcd-servers=${urls.join(',')}`,
    `--etcd-cafile=${authorityFiles.etcd}`,
    `--etcd-certfile=${own}/etcd-client.crt`,
    `--etcd-keyfile=${own}/etcd-client.key`,
    `--encryption-provider-config=${own}/encryption.json`,
    '--encryption-provider-config-automatic-reload=true',
  ];
}

function identityFlags({ fleet }: ServerContext): readonly string[] {
  return [
    `--client-ca-file=${authorityFiles.kubernetes}`,
    `--authentication-config=${own}/authentication.json`,
    `--kubelet-certificate-authority=${authorityFiles.kubernetes}`,
    `--kubelet-client-certificate=${own}/kubelet-client.crt`,
    `--kubelet-client-key=${own}/kubelet-client.key`,
    '--kubelet-preferred-address-types=InternalIP,Hostname',
    `--service-account-issuer=https://kubernetes.default.svc.${fleet.network.domain}`,
    `--service-account-key-file=${own}/service-accounts.pub`,
    `--service-account-signing-key-file=${own}/service-accounts.key`,
    '--service-account-lookup=true',
    '--service-account-extend-token-expiration=false',
    `--requestheader-client-ca-file=${authorityFiles['front-proxy']}`,
    '--requestheader-allowed-names=front-proxy-client',
    '--requestheader-username-headers=X-Remote-User',
    '--requestheader-group-headers=X-Remote-Group',
    '--requestheader-extra-headers-prefix=X-Remote-Extra-',
    `--proxy-client-cert-file=${own}/front-proxy-client.crt`,
    `--proxy-client-key-file=${own}/front-proxy-client.key`,
  ];
}

function auditFlags({ fleet }: ServerContext): readonly string[] {
  return [
    `--audit-policy-file=${own}/audit.json`,
    `--audit-log-path=${logs}/audit.log`,
    `--audit-log-maxage=${fleet.audit.maxAgeDays}`,
    `--audit-log-maxbackup=${fleet.audit.maxFiles}`,
    `--audit-log-maxsize=${fleet.audit.maxSizeMiB}`,
  ];
}
