// Renders a dashboard with Grafana's components, from its JSON and from recorded query results. Queries, variables, and
// editing are not implemented.
import {
  applyFieldOverrides, createTheme, dateTime, FieldType, getFieldDisplayName, getFieldDisplayValues, identityOverrideProcessor, LoadingState,
  standardFieldConfigEditorRegistry, standardTransformers, standardTransformersRegistry, ThemeContext, toDataFrame,
  transformDataFrame,
} from '@grafana/data';
import { BigValue, GlobalStyles, PanelChrome, Table, TimeSeries } from '@grafana/ui';
import { useLayoutEffect, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { firstValueFrom } from 'rxjs';

const { dashboard, answers, from, to } = window.pgmedic;
const theme = createTheme({ colors: { mode: 'light' } });
const WIDTH = 1600, ROW = 30, GAP = 8;
const ends = { from: dateTime(from * 1000), to: dateTime(to * 1000) };
const range = { ...ends, raw: ends };
const identity = (text) => text;

// Field options that the dashboards set. Grafana silently drops options that are not registered.
const plain = ['color', 'decimals', 'links', 'mappings', 'max', 'min', 'noValue', 'thresholds', 'unit'];
const custom = [
  'align', 'cellOptions', 'drawStyle', 'fillOpacity', 'lineInterpolation', 'lineWidth', 'pointSize', 'scaleDistribution', 'showPoints',
  'spanNulls', 'stacking', 'thresholdsStyle', 'width',
];
const option = (path, isCustom) => ({
  id: isCustom ? `custom.${path}` : path, path, isCustom, name: path,
  process: identityOverrideProcessor, shouldApply: () => true, override: identityOverrideProcessor,
});
standardFieldConfigEditorRegistry.setInit(() => [...plain.map((path) => option(path, false)), ...custom.map((path) => option(path, true))]);
standardTransformersRegistry.setInit(() => ['mergeTransformer', 'organizeFieldsTransformer'].map((name) => {
  const transformation = standardTransformers[name];
  return { id: transformation.id, name: transformation.name, transformation, editor: () => null };
}));

const number = (text) => (text === 'NaN' ? null : Number(text));
const legend = (format, labels) => format === '__auto' ? undefined : format.replace(/{{(\w+)}}/g, (_, label) => labels[label] ?? label);

// Data frames as the Prometheus data source makes them: one per series, or one per query for tables.
function frames(panel) {
  return panel.targets.flatMap((target) => {
    const result = answers[panel.title][target.refId];
    if (target.format === 'table') {
      const labels = [...new Set(result.flatMap((series) => Object.keys(series.metric)))].sort();
      const value = panel.targets.length > 1 ? `Value #${target.refId}` : 'Value';
      return [toDataFrame({ refId: target.refId, fields: [
        { name: 'Time', type: FieldType.time, values: result.map(() => to * 1000) },
        ...labels.map((label) => ({ name: label, type: FieldType.string, values: result.map((series) => series.metric[label] ?? '') })),
        { name: value, type: FieldType.number, values: result.map((series) => number(series.value[1])) },
      ] })];
    }
    return result.map((series) => {
      const values = series.values ?? [series.value];
      return toDataFrame({ refId: target.refId, fields: [
        { name: 'Time', type: FieldType.time, values: values.map(([time]) => time * 1000) },
        { name: 'Value', type: FieldType.number, labels: series.metric, values: values.map(([, value]) => number(value)),
          config: { displayNameFromDS: legend(target.legendFormat, series.metric) } },
      ] });
    });
  });
}

const overridden = (panel, data) => applyFieldOverrides({
  data, fieldConfig: panel.fieldConfig, replaceVariables: identity, theme, timeZone: 'utc',
});

function Marks({ config, marks }) {
  useLayoutEffect(() => {
    // Without padding the first and the last time on the axis would be cut off.
    config.setPadding([null, 28, null, 12]);
    config.addHook('draw', (plot) => {
      for (const { time, color } of marks) {
        const x = plot.valToPos(time * 1000, 'x', true);
        plot.ctx.save();
        plot.ctx.strokeStyle = theme.visualization.getColorByName(color);
        plot.ctx.setLineDash([4, 4]);
        plot.ctx.beginPath();
        plot.ctx.moveTo(x, plot.bbox.top);
        plot.ctx.lineTo(x, plot.bbox.top + plot.bbox.height);
        plot.ctx.stroke();
        plot.ctx.restore();
      }
    });
  }, [config]);
  return null;
}

// The start of each annotation's regions.
const marks = dashboard.annotations.list.flatMap(({ name, iconColor }) => Object.values(answers[name]).flat().flatMap((series) => {
  const times = (series.values ?? []).filter(([, value]) => Number(value) > 0).map(([time]) => time);
  return times.filter((time, n) => n === 0 || time - times[n - 1] > 4).map((time) => ({ time, color: iconColor }));
}));

// Replaces the state timeline, which @grafana/ui does not have: one line per series, one block per state.
function States({ frames, width, height }) {
  const names = width * 0.4, axis = 20, line = (height - axis) / frames.length, across = (width - names) / (to - from);
  const at = (time) => names + (time - from) * across;
  const clock = (time) => dateTime(time * 1000).utc().format('HH:mm:ss');
  const cut = { position: 'absolute', overflow: 'hidden', whiteSpace: 'nowrap', textOverflow: 'ellipsis', fontSize: 12 };
  return <div style={{ position: 'relative', width, height }}>
    {frames.map((frame, row) => {
      const [{ values: times }, field] = frame.fields;
      const place = { ...cut, top: row * line + 1, height: line - 2, lineHeight: `${line - 2}px` };
      const blocks = times.map((time, n) => ({ start: time / 1000, value: field.values[n] }))
        .filter(({ value }, n, all) => n === 0 || value !== all[n - 1].value);
      const ends = [...blocks.slice(1).map(({ start }) => start), times.at(-1) / 1000];
      return <div key={row}>
        <div style={{ ...place, left: 0, width: names - 8 }}>{getFieldDisplayName(field, frame, frames)}</div>
        {blocks.map(({ start, value }, n) => {
          const { text, color } = field.display(value);
          const block = { left: at(start), width: Math.max((ends[n] - start) * across, 3), textIndent: 4 };
          return <div key={n} style={{ ...place, ...block, background: color, color: theme.colors.getContrastText(color) }}>{text}</div>;
        })}
      </div>;
    })}
    {[0, 1, 2, 3].map((n) => from + ((to - from) * n) / 4).map((time) => (
      <div key={time} style={{ ...cut, top: height - axis + 2, left: at(time) }}>{clock(time)}</div>
    ))}
  </div>;
}

const Empty = ({ panel }) => <div className="empty">{panel.fieldConfig.defaults.noValue ?? 'No data'}</div>;

function Body({ panel, data, width, height }) {
  if (panel.type === 'stat') {
    const values = getFieldDisplayValues({
      fieldConfig: panel.fieldConfig, reduceOptions: panel.options.reduceOptions, replaceVariables: identity, theme, data,
    });
    return <div className="values">{values.map(({ display }, n) => (
      <BigValue key={n} value={display} theme={theme} width={width / values.length} height={height} colorMode={panel.options.colorMode}
        graphMode="none" justifyMode={panel.options.justifyMode} textMode={panel.options.textMode} count={values.length} />
    ))}</div>;
  }
  if (data.length === 0 || data.every((frame) => frame.length === 0)) return <Empty panel={panel} />;
  if (panel.type === 'table') {
    return <Table data={data[0]} width={width} height={height} cellHeight={panel.options.cellHeight} initialSortBy={panel.options.sortBy}
      enablePagination={false} timeRange={range} />;
  }
  if (panel.type === 'state-timeline') return <States frames={data} width={width} height={height} />;
  return <TimeSeries frames={data} width={width} height={height} timeRange={range} timeZone="utc" legend={panel.options.legend}
    options={panel.options} structureRev={1}>{(config) => <Marks config={config} marks={marks} />}</TimeSeries>;
}

function Panel({ panel, data }) {
  const { x, y, w, h } = panel.gridPos;
  const cell = WIDTH / 24;
  const box = { position: 'absolute', left: x * cell + GAP / 2, top: y * (ROW + GAP), width: w * cell - GAP, height: h * (ROW + GAP) - GAP };
  if (panel.type === 'row') return <h2 style={box} id={`row-${panel.id}`}>{panel.title}</h2>;
  return <div style={box} className="panel" id={`panel-${panel.id}`}>
    <PanelChrome title={panel.title} width={box.width} height={box.height} loadingState={LoadingState.Done}>
      {(width, height) => <Body panel={panel} data={data} width={width} height={height} />}
    </PanelChrome>
  </div>;
}

function Dashboard() {
  const [data, setData] = useState(null);
  useLayoutEffect(() => {
    Promise.all(dashboard.panels.filter((panel) => panel.type !== 'row').map(async (panel) => {
      const transformed = await firstValueFrom(transformDataFrame(panel.transformations ?? [], frames(panel)));
      return [panel.id, panel, overridden(panel, transformed)];
    })).then(setData);
  }, []);
  useLayoutEffect(() => { if (data) setTimeout(() => { document.title = 'drawn'; }, 500); }, [data]);
  if (!data) return null;
  const height = Math.max(...dashboard.panels.map(({ gridPos }) => gridPos.y + gridPos.h)) * (ROW + GAP);
  return <main style={{ position: 'relative', width: WIDTH, height: height + GAP }}>
    {dashboard.panels.filter((panel) => panel.type === 'row').map((panel) => <Panel key={panel.id} panel={panel} />)}
    {data.map(([id, panel, frames]) => <Panel key={id} panel={panel} data={frames} />)}
  </main>;
}

createRoot(document.getElementById('page')).render(
  <ThemeContext.Provider value={theme}><GlobalStyles /><h1>{dashboard.title}</h1><Dashboard /></ThemeContext.Provider>,
);
