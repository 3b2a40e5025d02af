/** Caption, file name and line wrapping of shared images. */
import { age, venueName } from '../format';

export interface CaptionData {
  coin: string;
  span: string;
  view: string;
  /** Time of the map, µs UTC; age of the newest data, s. */
  asOf: number;
  age: number;
  source: string;
  venues: readonly string[];
  /** Tier and side filters that are set. */
  filters: readonly string[];
  model: string;
  grade: string | null;
  /** Time zone name, such as Pacific/Auckland, and its UTC offset in seconds. */
  zone: string;
  utcOffset: number;
  /** Display currency and rate; null for dollars. */
  rate: { ccy: string; value: number; day: number; stale: boolean } | null;
}

function iso(micros: number): string {
  return new Date(micros / 1_000).toISOString();
}

/** 2026-02-05 14:30 */
function minute(micros: number): string {
  return iso(micros).slice(0, 16).replace('T', ' ');
}

/** powderkeg-BTC-3d-20260205T1430Z.png; views other than the heatmap are named. */
export function fileName(
  data: Pick<CaptionData, 'coin' | 'span' | 'view' | 'asOf'>,
  end: string,
): string {
  const at = `${iso(data.asOf).slice(0, 16).replaceAll('-', '').replace(':', '')}Z`;
  const view = data.view === 'heatmap' ? '' : `-${data.view}`;
  return `powderkeg-${data.coin}${view}-${data.span}-${at}.${end}`;
}

export function captionParts(data: CaptionData): string[] {
  const local = data.utcOffset
    ? `${minute(data.asOf + data.utcOffset * 1e6)} ${data.zone}`
    : 'local time is UTC';
  const out = [
    'estimate, snapshot',
    `${minute(data.asOf)} UTC (${local})`,
    `data ${age(data.age)} old`,
    data.source,
    data.venues.map(venueName).join(', '),
    ...data.filters,
    data.model,
  ];
  if (data.grade) out.push(`grade ${data.grade}`);
  if (data.rate) {
    const { ccy, value, day, stale } = data.rate;
    out.push(
      `${value.toFixed(4)} ${ccy} per dollar (ECB, ${iso(day).slice(0, 10)}${stale ? ', stale' : ''})`,
    );
  }
  return [...out, 'fuel, not a magnet'].filter(Boolean);
}

/** Join parts with dots into lines; a part that is too long wraps at spaces. */
export function wrapLines(
  parts: readonly string[],
  width: number,
  measure: (text: string) => number,
): string[] {
  const lines: string[] = [];
  for (const piece of parts) {
    const last = lines.at(-1);
    if (last !== undefined && measure(`${last} · ${piece}`) <= width) {
      lines[lines.length - 1] = `${last} · ${piece}`;
      continue;
    }
    let line = '';
    for (const word of piece.split(' ')) {
      const longer = line ? `${line} ${word}` : word;
      if (line && measure(longer) > width) {
        lines.push(line);
        line = word;
      } else line = longer;
    }
    lines.push(line);
  }
  return lines;
}
