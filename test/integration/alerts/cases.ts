import { type Case, fault } from './case.ts';
import { scalingCases } from './scaling.ts';
import { steeringCases } from './steering.ts';

const blade = (name: string, more = '') => `{job="tideline-edge",cluster="paris",instance="${name}"${more}}`;
export const worker = (name: string, more = '') => `{job="tideline-network",cluster="paris",instance="${name}"${more}}`;
const member = '{job="node",cluster="paris",instance="m1"}';
const vip = ',vip="203.0.113.10"';

const loss = '1x9 0x29 1x60';

export const cases: readonly Case[] = [
  {
    alert: 'TidelineVipUnannounced',
    series: {
      [`tideline_edge_vip_announced${blade('b1', vip)}`]: loss,
      [`tideline_edge_vip_announced${blade('b2', vip)}`]: '0x99',
    },
    quiet: 9,
    fires: 12,
    over: 42,
  },
  {
    alert: 'TidelineBladesGone',
    series: { [`up${blade('b1')}`]: loss, [`up${blade('b2')}`]: '0x99' },
    quiet: 9,
    fires: 13,
    over: 42,
  },
  {
    alert: 'TidelineVipOneBlade',
    series: {
      [`tideline_edge_vip_announced${blade('b1', vip)}`]: loss,
      [`tideline_edge_vip_announced${blade('b2', vip)}`]: '1x99',
      [`tideline_edge_draining${blade('b1')}`]: '0x99',
    },
    quiet: 15,
    fires: 22,
    over: 42,
  },
  {
    alert: 'TidelinePolicyUnhealthy',
    series: {
      [`tideline_edge_policy_healthy${blade('b1', ',policy="www"')}`]: loss,
      [`tideline_edge_policy_healthy${blade('b2', ',policy="www"')}`]: loss,
    },
    quiet: 9,
    fires: 13,
    over: 42,
  },
  {
    alert: 'TidelineBackendsUnreachable',
    series: { [`tideline_edge_unreachable_backends${blade('b1')}`]: fault },
    quiet: 9,
    fires: 13,
    over: 42,
  },
  {
    alert: 'TidelineRequestsFail',
    series: {
      [`tideline_edge_requests_total${blade('b1', ',host="a",status="2xx"')}`]: '0+1000x99',
      [`tideline_edge_requests_total${blade('b1', ',host="a",status="5xx"')}`]: '0+10x9 90+100x29 3000+10x60',
    },
    quiet: 10,
    fires: 25,
    over: 60,
  },
  {
    alert: 'TidelineConnectsFail',
    series: {
      [`tideline_edge_tries_total${blade('b1', ',outcome="connected"')}`]: '0+1000x99',
      [`tideline_edge_tries_total${blade('b1', ',outcome="refused"')}`]: '0+10x9 90+200x29 6000+10x60',
    },
    quiet: 9,
    fires: 25,
    over: 60,
  },
  {
    alert: 'TidelineHandshakesRefused',
    series: { [`tideline_edge_refused_handshakes${blade('b1')}`]: '0x9 5x80' },
    quiet: 9,
    fires: 12,
    over: 30,
  },
  {
    alert: 'TidelineAgentsGone',
    series: { [`up${worker('w1')}`]: loss, [`up${worker('w2')}`]: loss, [`up${worker('w3')}`]: '1x99' },
    quiet: 9,
    fires: 14,
    over: 42,
  },
  {
    alert: 'TidelineAgentDown',
    series: { [`up${worker('w1')}`]: loss, [`up${worker('w2')}`]: '1x99', [`up${worker('w3')}`]: '1x99' },
    quiet: 12,
    fires: 18,
    over: 42,
  },
  {
    alert: 'TidelineServerUnheard',
    series: {
      [`tideline_bgp_session_up${blade('b1', ',neighbor="10.0.0.1"')}`]: loss,
      [`tideline_bgp_session_up${blade('b1', ',neighbor="10.0.0.2"')}`]: loss,
    },
    quiet: 9,
    fires: 13,
    over: 42,
  },
  {
    alert: 'TidelineBgpSessionDown',
    series: {
      [`tideline_bgp_session_up${blade('b1', ',neighbor="10.0.0.1"')}`]: loss,
      [`tideline_bgp_session_up${blade('b1', ',neighbor="10.0.0.2"')}`]: '1x99',
    },
    quiet: 12,
    fires: 18,
    over: 42,
  },
  {
    alert: 'TidelineExabgpAway',
    series: { [`tideline_bgp_relay_connected${worker('w1')}`]: loss },
    quiet: 9,
    fires: 13,
    over: 42,
  },
  {
    alert: 'TidelineRoutesDiffer',
    series: { [`tideline_bgp_route_differences${worker('w1')}`]: fault },
    quiet: 10,
    fires: 14,
    over: 42,
  },
  {
    alert: 'TidelineRoutesYield',
    series: { [`tideline_bgp_yielding${worker('w1')}`]: fault },
    quiet: 9,
    fires: 13,
    over: 42,
  },
  {
    alert: 'TidelineWorkerSilent',
    series: { [`tideline_edge_silent_workers${blade('b1')}`]: fault },
    quiet: 9,
    fires: 12,
    over: 42,
  },
  {
    alert: 'TidelineTableNotTaken',
    series: { [`tideline_edge_apply_failures_total${blade('b1', ',path="table"')}`]: '0x9 1+2x29 60x60' },
    quiet: 11,
    fires: 22,
    over: 50,
  },
  {
    alert: 'TidelineAgentSlow',
    series: { [`nodejs_eventloop_lag_p99_seconds${blade('b1')}`]: '0.01x9 3x29 0.01x60' },
    quiet: 15,
    fires: 22,
    over: 42,
  },
  {
    alert: 'TidelineVisitorsRefused',
    series: { [`tideline_endpoint_refused_total${blade('b1', ',reason="ForeignNetwork"')}`]: '0x9 0+600x29 17400x60' },
    quiet: 11,
    fires: 22,
    over: 50,
  },
  {
    alert: 'TidelineSourceStale',
    series: { [`tideline_kube_source_phase${blade('b1', ',phase="stale"')}`]: fault },
    quiet: 11,
    fires: 15,
    over: 42,
  },
  {
    alert: 'TidelineSpecsDiffer',
    series: {
      [`tideline_spec_digest${blade('b1', ',digest="a"')}`]: '1x99',
      [`tideline_spec_digest${blade('b2', ',digest="b"')}`]: '_x9 1x50 _x40',
      [`tideline_spec_digest${blade('b3', ',digest="a"')}`]: '1x99',
    },
    quiet: 30,
    fires: 45,
    over: 75,
  },
  {
    alert: 'TidelineSourceSyncing',
    series: { [`tideline_kube_source_phase${blade('b1', ',phase="syncing"')}`]: fault },
    quiet: 13,
    fires: 17,
    over: 42,
  },
  {
    alert: 'TidelineNetworkHolds',
    series: { [`tideline_network_holding${worker('w1', ',reason="BlocksMissing"')}`]: fault },
    quiet: 11,
    fires: 15,
    over: 42,
  },
  {
    alert: 'TidelineDoubt',
    series: { [`tideline_doubts${worker('w1', ',reason="ExportBanWaits"')}`]: fault },
    quiet: 9,
    fires: 11,
    over: 42,
  },
  {
    alert: 'TidelineRoutesRunOut',
    series: { [`tideline_network_holding${worker('w1', ',reason="RoutesRunOut"')}`]: fault },
    quiet: 9,
    fires: 11,
    over: 42,
  },
  {
    alert: 'TidelineRoutesRefused',
    series: { [`tideline_network_refusals${worker('w1', ',reason="PrefixOutsideSite"')}`]: fault },
    quiet: 10,
    fires: 14,
    over: 42,
  },
  {
    alert: 'TidelinePodsShadowed',
    series: { [`tideline_network_notices${worker('w1', ',reason="RuleShadows"')}`]: fault },
    quiet: 9,
    fires: 13,
    over: 42,
  },
  {
    alert: 'TidelineRoutesDoubtful',
    series: { [`tideline_network_notices${worker('w1', ',reason="PoolMissing"')}`]: fault },
    quiet: 10,
    fires: 14,
    over: 42,
  },
  {
    alert: 'TidelineIngressRefused',
    series: { [`tideline_edge_refusals${blade('b1', ',reason="HostInvalid"')}`]: fault },
    quiet: 15,
    fires: 22,
    over: 42,
  },
  {
    alert: 'TidelineNoEndpoints',
    series: { [`tideline_edge_empty_backends${blade('b1')}`]: fault },
    quiet: 15,
    fires: 22,
    over: 42,
  },
  // An end that comes near, and then is far away: what ends was renewed.
  {
    alert: 'TidelineCertificateEnds',
    series: {
      [`tideline_edge_certificate_end_timestamp_seconds${blade('b1', ',host="a"')}`]: '1210000x99 99999999x99',
    },
    quiet: 50,
    fires: 90,
    over: 110,
  },
  {
    alert: 'TidelineCertificateEndsToday',
    series: { [`tideline_edge_certificate_end_timestamp_seconds${blade('b1', ',host="a"')}`]: '87000x59 99999999x99' },
    quiet: 15,
    fires: 30,
    over: 70,
  },
  {
    alert: 'TidelineCredentialEnds',
    series: { [`tideline_kube_credential_end_timestamp_seconds${worker('w1')}`]: '605400x199 9999999x99' },
    quiet: 60,
    fires: 90,
    over: 210,
  },
  {
    alert: 'TidelineCredentialEndsToday',
    series: { [`tideline_kube_credential_end_timestamp_seconds${worker('w1')}`]: '87000x59 9999999x99' },
    quiet: 15,
    fires: 30,
    over: 70,
  },
  {
    alert: 'TidelineAgentCertificateEnds',
    series: { [`tideline_endpoint_certificate_end_timestamp_seconds${worker('w1')}`]: '605400x199 9999999x99' },
    quiet: 60,
    fires: 90,
    over: 210,
  },
  {
    alert: 'TidelineAgentCertificateEndsToday',
    series: { [`tideline_endpoint_certificate_end_timestamp_seconds${worker('w1')}`]: '87000x59 9999999x99' },
    quiet: 15,
    fires: 30,
    over: 70,
  },
  {
    alert: 'TidelineAgentCertificateUnusable',
    series: { [`tideline_endpoint_certificate_files_unusable${worker('w1')}`]: fault },
    quiet: 12,
    fires: 17,
    over: 42,
  },
  {
    alert: 'TidelinePeerNotBelieved',
    series: { [`tideline_edge_peers_not_believed${blade('b1')}`]: fault },
    quiet: 12,
    fires: 17,
    over: 42,
  },
  {
    alert: 'TidelineStatusWaits',
    series: { [`tideline_kube_status_waiting${blade('b1')}`]: fault },
    quiet: 20,
    fires: 27,
    over: 42,
  },
  {
    alert: 'TidelineNoLeader',
    series: { [`tideline_kube_leading${blade('b1')}`]: loss, [`tideline_kube_leading${blade('b2')}`]: '0x99' },
    quiet: 12,
    fires: 17,
    over: 42,
  },
  {
    alert: 'TidelineEtcdSnapshotOld',
    series: {
      [`tideline_etcd_snapshot_interval_seconds${member}`]: '60x120',
      [`tideline_etcd_snapshot_timestamp_seconds${member.replace('}', ',place="member"}')}`]: '0+60x120',
      [`tideline_etcd_snapshot_timestamp_seconds${member.replace('}', ',place="elsewhere"}')}`]:
        '0+60x9 540x49 3600+60x60',
    },
    quiet: 40,
    fires: 45,
    over: 63,
  },
  ...scalingCases,
  ...steeringCases,
];

/** A Drain explains that one blade alone announces; the fault goes on for longer than it. */
export const drained: Case = {
  alert: 'TidelineVipOneBlade',
  series: {
    [`tideline_edge_vip_announced${blade('b1', vip)}`]: '0x69 1x60',
    [`tideline_edge_vip_announced${blade('b2', vip)}`]: '1x99',
    [`tideline_edge_draining${blade('b1')}`]: '1x40 0x60',
  },
  quiet: 39,
  fires: 52,
  over: 75,
};
