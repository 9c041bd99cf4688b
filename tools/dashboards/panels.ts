import {
  DashboardBuilder,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  RowBuilder,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as TimeseriesBuilder } from '@grafana/grafana-foundation-sdk/timeseries';

/** What a panel shows: queries of Prometheus by the legend of their series, and the unit of their values as Grafana names it. */
export interface Panel {
  readonly title: string;
  /** What a person does with it: when it is fine, and what to look at when it is not. */
  readonly description: string;
  readonly unit?: string;
  readonly queries: Readonly<Record<string, string>>;
}

export interface Row {
  readonly title: string;
  readonly panels: readonly Panel[];
}

export interface Dashboard {
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  /** The first row: one number each, which is zero when all is well. */
  readonly troubles: readonly Panel[];
  readonly rows: readonly Row[];
}

const columns = 24;
const source = { type: 'prometheus', uid: '${datasource}' };

const query = (legend: string, expr: string, index: number): DataqueryBuilder =>
  new DataqueryBuilder()
    .refId(String.fromCharCode(65 + index))
    .expr(expr)
    .legendFormat(legend);

function timeseries({ title, description, unit = 'short', queries }: Panel, span: number): TimeseriesBuilder {
  const panel = new TimeseriesBuilder().title(title).description(description).datasource(source).unit(unit).min(0);
  for (const [index, [legend, expr]] of Object.entries(queries).entries()) panel.withTarget(query(legend, expr, index));
  return panel.span(span).height(8);
}

function stat({ title, description, queries }: Panel, span: number): StatBuilder {
  const panel = new StatBuilder().title(title).description(description).datasource(source);
  for (const [index, [legend, expr]] of Object.entries(queries).entries()) panel.withTarget(query(legend, expr, index));
  return panel.span(span).height(4);
}

/** A dashboard as Grafana reads it from a file, for any Prometheus; `$cluster` chooses clusters. */
export function dashboardJson({ uid, title, description, troubles, rows }: Dashboard): string {
  const builder = new DashboardBuilder(title)
    .uid(uid)
    .description(description)
    .tags(['tideline'])
    .refresh('30s')
    .time({ from: 'now-3h', to: 'now' })
    .withVariable(new DatasourceVariableBuilder('datasource').label('Prometheus').type('prometheus'))
    .withVariable(
      new QueryVariableBuilder('cluster')
        .label('Cluster')
        .datasource(source)
        .query('label_values(up{job=~"tideline-.+"}, cluster)')
        .multi(true)
        .includeAll(true),
    );
  for (const panel of troubles) builder.withPanel(stat(panel, Math.floor(columns / troubles.length)));
  for (const { title: name, panels } of rows) {
    builder.withRow(new RowBuilder(name));
    for (const panel of panels) builder.withPanel(timeseries(panel, Math.floor(columns / panels.length)));
  }
  return `${JSON.stringify(builder.build(), null, 2)}\n`;
}
