/** What may follow a touch: loaded once the cumulative curve stands. */

export { drawMarks } from '../../lib/overshoot/marks';
export { default as EndPrices } from './EndPrices.svelte';
export { default as Touches } from './Touches.svelte';
