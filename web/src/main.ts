import './font.css';
import './app.css';
import { mount } from 'svelte';
import App from './App.svelte';

const host = document.getElementById('app');
if (!host) throw new Error('expected an element #app in index.html, found none');

mount(App, { target: host });
