import { afterFive, type Case, fault } from './case.ts';

const steering = (more = '') =>
  `{job="tideline-steering",instance="s1",provider="route53",zone="video.example"${more}}`;
const held = ',policy="video",target_cluster="paris"';

export const steeringCases: readonly Case[] = [
  {
    alert: 'TidelineSteeringWaits',
    series: { [`tideline_steering_waiting${steering(',reason="NeedsApproval"')}`]: fault },
    quiet: 12,
    fires: 17,
    over: 42,
  },
  {
    alert: 'TidelineSteeringFails',
    series: { [`tideline_steering_failing${steering(',reason="ProviderUnreachable"')}`]: fault },
    quiet: 17,
    fires: 23,
    over: 42,
  },
  {
    alert: 'TidelineSteeringDrift',
    series: { [`tideline_steering_drift${steering()}`]: fault },
    ...afterFive,
  },
  {
    alert: 'TidelineProposalWaits',
    series: { [`tideline_steering_overlays${steering(',reason="OverlayWaits"')}`]: fault },
    quiet: 22,
    fires: 27,
    over: 42,
  },
  {
    alert: 'TidelineOverlayLeft',
    series: { [`tideline_steering_overlays${steering(',reason="OverlaySilent"')}`]: fault },
    ...afterFive,
  },
  {
    alert: 'TidelineHoldStands',
    series: {
      [`tideline_steering_held_seconds${steering(`${held},mode="heldDown"`)}`]: '_x9 3000+60x60 stale',
      [`tideline_steering_held_expected_seconds${steering(`${held},mode="heldDown"`)}`]: '_x9 1800x60 stale',
    },
    quiet: 54,
    fires: 58,
    over: 74,
  },
  {
    alert: 'TidelineSteeringUnanswered',
    series: { [`tideline_steering_answered_otherwise${steering()}`]: fault },
    ...afterFive,
  },
  {
    alert: 'TidelineSteeringSilent',
    series: { [`tideline_steering_plan_age_seconds${steering()}`]: '30x9 60+60x29 0x60' },
    quiet: 24,
    fires: 33,
    over: 42,
  },
  {
    alert: 'TidelineClusterLacksHosts',
    series: {
      'tideline_steering_hosts_lacking{job="tideline-steering",instance="s1",policy="video",target_cluster="newyork",reason="HostNotServed"}':
        fault,
    },
    quiet: 17,
    fires: 23,
    over: 42,
  },
];

/** Nobody leads back what a person has to. */
export const heldByHand: Case = {
  alert: 'TidelineHoldStands',
  series: {
    [`tideline_steering_held_seconds${steering(`${held},mode="byHand"`)}`]: '0+60x70 stale',
    [`tideline_steering_held_expected_seconds${steering(`${held},mode="byHand"`)}`]: '0x70 stale',
  },
  quiet: 64,
  fires: 68,
  over: 74,
};
