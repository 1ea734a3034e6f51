import { render } from 'preact';
import { openWallet } from '../index.ts';
import { App } from './app.tsx';
import './styles.css';

const root = document.getElementById('app');
if (root !== null) render(<App open={openWallet} />, root);
