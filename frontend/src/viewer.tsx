/** Entry of the viewer app: `/` and `/r/{slug}`, served by relays. */
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import './styles.css';
import { startLanguage } from './i18n/locale';
import { viewerRoute } from './lib/router';
import { visitRoom } from './app/context';
import { ViewerApp } from './app/viewer-app';

startLanguage();

const route = viewerRoute(location.pathname);
if (route.page === 'room') visitRoom(route.slug).start();

const root = document.getElementById('root');
if (root === null) throw new Error('index.html has an element with the id root');
createRoot(root).render(
  <StrictMode>
    <ViewerApp />
  </StrictMode>,
);
