/** The second script: all that is not the map, fetched when it is asked for or once the map stands. */
export { default as Sheets } from './shell/Sheets.svelte';
export { default as Views } from './views/Views.svelte';
