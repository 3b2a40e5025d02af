/** The second script: all that is not the map, fetched when it is asked for or once the map stands. */
export { default as Sheets } from './shell/Sheets.svelte';
export { default as DifferenceLegend } from './trust/DifferenceLegend.svelte';
export { default as Learned } from './trust/Learned.svelte';
export { default as Nearby } from './parts/Nearby.svelte';
export { default as Readout } from './parts/Readout.svelte';
export { default as SidePanel } from './shell/SidePanel.svelte';
export { default as Views } from './views/Views.svelte';
export { diverging } from '../lib/paint/diverging';
