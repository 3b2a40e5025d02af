import './font.css';
import './app.css';
import { mount } from 'svelte';
import App from './App.svelte';
import { registerServiceWorker } from './lib/offline/service-worker';
import { store } from './lib/store.svelte';
import { followSystemTheme } from './lib/view/theme';

const host = document.getElementById('app');
if (!host) throw new Error('expected an element #app in index.html, found none');

followSystemTheme(() => store.preferences.settings.theme);
mount(App, { target: host });
document.getElementById('shell')?.remove();
registerServiceWorker();
