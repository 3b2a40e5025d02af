/** What a picture says of itself, what its file is called, and how its lines are broken. */
import { age, venueName } from '../format';

export interface Said {
  coin: string;
  span: string;
  view: string;
  /** µs UTC of the map; seconds since the newest datum. */
  asOf: number;
  age: number;
  source: string;
  venues: readonly string[];
  /** Tiers and side, where they are not all. */
  filters: readonly string[];
  model: string;
  grade: string | null;
  /** Name of the reader's zone, such as Pacific/Auckland; seconds it is ahead of UTC. */
  zone: string;
  ahead: number;
  /** Currency and rate of the amounts; null for dollars. */
  rate: { ccy: string; value: number; day: number; stale: boolean } | null;
}

function iso(micros: number): string {
  return new Date(micros / 1_000).toISOString();
}

/** 2026-02-05 14:30 */
function minute(micros: number): string {
  return iso(micros).slice(0, 16).replace('T', ' ');
}

/** powderkeg-BTC-3d-20260205T1430Z.png; other views than the heatmap name themselves. */
export function fileName(said: Pick<Said, 'coin' | 'span' | 'view' | 'asOf'>, end: string): string {
  const at = `${iso(said.asOf).slice(0, 16).replaceAll('-', '').replace(':', '')}Z`;
  const view = said.view === 'heatmap' ? '' : `-${said.view}`;
  return `powderkeg-${said.coin}${view}-${said.span}-${at}.${end}`;
}

export function pieces(said: Said): string[] {
  const local = said.ahead ? `${minute(said.asOf + said.ahead * 1e6)} ${said.zone}` : 'local time is UTC';
  const out = [
    'estimate, static image',
    `${minute(said.asOf)} UTC (${local})`,
    `data ${age(said.age)} old`,
    said.source,
    said.venues.map(venueName).join(', '),
    ...said.filters,
    said.model,
  ];
  if (said.grade) out.push(`grade ${said.grade}`);
  if (said.rate) {
    const { ccy, value, day, stale } = said.rate;
    out.push(`${value.toFixed(4)} ${ccy} a dollar (ECB, ${iso(day).slice(0, 10)}${stale ? ', stale' : ''})`);
  }
  return [...out, 'fuel, not a magnet'].filter(Boolean);
}

/** Pieces joined by dots in as many lines as they need; a piece too long for a line breaks at blanks. */
export function wrapped(words: readonly string[], width: number, measure: (text: string) => number): string[] {
  const lines: string[] = [];
  for (const piece of words) {
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
