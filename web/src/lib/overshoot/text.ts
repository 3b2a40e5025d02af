/** Figures of a touch in words. */
import { dollars } from '../format';
import type { ChainLink, SurvivalState, TouchForecast } from '../wire/schema-on-demand';
import { passingAt } from './read';

/** "89%": a chance that is neither impossible nor certain is never written as either. */
export function chance(fraction: number): string {
  if (!Number.isFinite(fraction)) return '–';
  if (fraction > 0 && fraction < 0.01) return 'under 1%';
  if (fraction < 1 && fraction > 0.99) return 'over 99%';
  return `${(fraction * 100).toFixed(0)}%`;
}

/** How often a cluster of a chain is reached after the touch. */
export function reachText(touch: TouchForecast, { near }: ChainLink): string {
  const ahead = touch.side === 'long' ? near < touch.level : near > touch.level;
  return ahead ? `reached in ${chance(passingAt(touch, near))}` : 'at the touch';
}

/** What stands between a cluster of a chain and the one before it. */
export function linkText({ coefficient, resting }: ChainLink): string {
  if (coefficient === null) return 'price is there with the touch';
  const gap = `${dollars(resting)} resting in the gap`;
  return coefficient < 1 ? `absorbed: ${gap}` : `carries: ${gap}`;
}

/** "1.85", or empty where price is there already. */
export const carryText = ({ coefficient }: ChainLink): string =>
  coefficient === null ? '' : coefficient.toFixed(2);

/** How many links of a chain would be reached in a row, and their dollars. */
export function chainText({ chain, chainLength }: TouchForecast): string {
  if (!chain.length) return 'no cluster ahead';
  const held = chain[Math.max(0, chainLength - 1)].cumulative;
  return `${chainLength} of ${chain.length} in a row, ${dollars(held)}`;
}

/** What the forecast was learned from. */
export function learnedText({ sweeps, median }: SurvivalState, coin: string): string {
  const stays = `${(median * 100).toFixed(0)}% of the displayed depth is taken to stay`;
  return sweeps
    ? `Learned from ${sweeps} ${sweeps === 1 ? 'sweep' : 'sweeps'} of ${coin}; ${stays}.`
    : `No sweep of ${coin} seen yet; ${stays}, which is a prior.`;
}

/** The fan in words, for those who do not see it. */
export function fanText(
  touches: readonly TouchForecast[],
  figure: (price: number) => string,
): string {
  const each = touches.map(
    ({ level, end }) =>
      `after a touch of ${figure(level)} half end beyond ${figure(end[1])}, 80% between ` +
      `${figure(end[0])} and ${figure(end[2])}`,
  );
  return each.length ? `End prices: ${each.join('; ')}` : 'No end prices yet';
}
