/** The opening state in one script, fetched only while the server gets ready. */
export { default as Aside } from './Aside.svelte';
export { default as Panel } from './Panel.svelte';
export { default as Coins } from './Coins.svelte';
