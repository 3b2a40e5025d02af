/** The second bundle: everything but the map, loaded on demand or after the first map. */

export { diverging } from '../lib/render/diverging';
export { default as ClusterSummary } from './parts/ClusterSummary.svelte';
export { default as Readout } from './parts/Readout.svelte';
export { default as Sheets } from './shell/Sheets.svelte';
export { default as SidePanel } from './shell/SidePanel.svelte';
export { default as DifferenceLegend } from './trust/DifferenceLegend.svelte';
export { default as RefitNotice } from './trust/RefitNotice.svelte';
export { default as Views } from './views/Views.svelte';
export { default as Wicks } from './wicks/Wicks.svelte';
