import './font.css';
import './app.css';
import { mount } from 'svelte';
import App from './App.svelte';
import { followSystem } from './lib/look/tone';
import { keepShell } from './lib/offline/shell';
import { store } from './lib/store.svelte';

const host = document.getElementById('app');
if (!host) throw new Error('expected an element #app in index.html, found none');

followSystem(() => store.settings.theme);
mount(App, { target: host });
document.getElementById('shell')?.remove();
keepShell();
