import { afterFive, type Case, fault } from './case.ts';

const agent = (name: string, more = '') => `{job="tideline-scaling",cluster="cloud",instance="${name}"${more}}`;
const web = ',target="web-europe"';

export const scalingCases: readonly Case[] = [
  {
    alert: 'TidelineFloorUnmet',
    series: { [`tideline_scaling_floor_missing_replicas${agent('s1', web)}`]: fault },
    ...afterFive,
  },
  {
    alert: 'TidelineFloorNotHeld',
    series: {
      // Two agents; one of them was started after the floor had risen.
      [`tideline_scaling_floor_replicas${agent('s1', web)}`]: '20x9 60x29 60x60',
      [`tideline_scaling_floor_replicas${agent('s2', web)}`]: '20x99',
      [`tideline_scaling_ready_replicas${agent('s1', web)}`]: '20x39 60x60',
      [`tideline_scaling_ready_replicas${agent('s2', web)}`]: '20x39 60x60',
    },
    quiet: 22,
    fires: 28,
    over: 42,
  },
  {
    alert: 'TidelineScalingBlind',
    series: {
      [`tideline_scaling_demand_age_seconds${agent('s1')}`]: '15x9 60+60x29 15x60',
      [`tideline_scaling_demand_age_seconds${agent('s2')}`]: '15x9 60+60x29 15x60',
    },
    quiet: 20,
    fires: 28,
    over: 42,
  },
];
