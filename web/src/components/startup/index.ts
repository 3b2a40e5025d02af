/** The start-up components in one bundle, loaded only while the server starts. */
export { default as Aside } from './Aside.svelte';
export { default as Coins } from './Coins.svelte';
export { default as Panel } from './Panel.svelte';
