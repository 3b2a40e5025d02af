import { afterEach, describe, expect, it } from 'vitest';
import {
  allowed,
  grossTo,
  marginText,
  planUrl,
  readAccount,
  saveAccount,
  sizeText,
  targetAt,
} from '../src/lib/signals/plan';
import type { PlannedLiquidation, PlanRow, Target } from '../src/lib/wire/schema-on-demand';

const ROW: PlanRow = { side: 'long', entry: 149_000, stop: 147_800, target: 153_000, reward: 3.33 };
const ACCOUNT = { equity: 50_000, risk: 1, leverage: 10, entryFee: 5.5, exitFee: 5.5 };
const liquidation = (change: Partial<PlannedLiquidation>): PlannedLiquidation => ({
  leverage: 10,
  price: 134_639,
  stopsAway: 11.97,
  beyondStop: 10.97,
  safeLeverage: null,
  source: '',
  why: '',
  ...change,
});

describe('figures of the trader', () => {
  afterEach(() => localStorage.clear());
  it('are kept in this browser', () => {
    expect(readAccount()).toMatchObject({ equity: 10_000, risk: 1 });
    saveAccount(ACCOUNT);
    expect(readAccount()).toEqual(ACCOUNT);
  });
  it('that cannot be asked for are the defaults', () => {
    localStorage.setItem(
      'powderkeg-account',
      '{"equity":-1,"risk":"2","leverage":0.5,"exitFee":4}',
    );
    expect(readAccount()).toEqual({ ...readAccount(), equity: 10_000, risk: 1, leverage: 10 });
    expect(readAccount().exitFee).toBe(4);
    localStorage.setItem('powderkeg-account', 'null');
    expect(readAccount().equity).toBe(10_000);
    expect(allowed('leverage', 0)).toBe(true);
  });
});

describe('a plan', () => {
  it('is asked for with prices of the signal, fractions, and the venues of the map', () => {
    expect(planUrl('BTC', ROW, ACCOUNT, ['okx', 'bybit'])).toBe(
      '/v1/BTC/plan?equity=50000&risk=0.01&side=long&entry=149000&stop=147800&leverage=10' +
        '&entry_fee=0.00055&exit_fee=0.00055&venues=okx,bybit',
    );
  });
  it('finds the target of the signal only where a cluster stands there', () => {
    const target = { price: 153_100 } as Target;
    expect(targetAt([target], 153_000)).toBe(target);
    expect(targetAt([target], 150_000)).toBeNull();
    expect(targetAt([target], null)).toBeNull();
  });
  it('has a gross reward of either side', () => {
    expect(grossTo(ROW, 153_000)).toBeCloseTo(3.333, 3);
    expect(grossTo({ ...ROW, side: 'short', entry: 100, stop: 101 }, 97)).toBeCloseTo(3);
  });
  it('says how far beyond the stop it is liquidated', () => {
    expect(marginText(liquidation({}))).toBe('11.0 R beyond the stop');
    expect(marginText(liquidation({ beyondStop: -0.2 }))).toBe('before the stop');
    expect(marginText(liquidation({ price: null, why: 'no price liquidates it' }))).toBe(
      'no price liquidates it',
    );
  });
  it('has a size of four digits', () => {
    expect([0.41667, 12.3456, 12_345.6].map((x) => sizeText(x, 'BTC'))).toEqual([
      '0.4167 BTC',
      '12.35 BTC',
      '12346 BTC',
    ]);
  });
});
