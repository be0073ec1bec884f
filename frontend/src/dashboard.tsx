/** Entry of the dashboard, served by the origin at `/` of its API port. */
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import './styles.css';
import { DashboardApp } from './app/dashboard/dashboard-app';
import { AdminSession, tokenInFragment } from './features/sign-in/admin-session';
import { startLanguage } from './i18n/locale';
import { AddressBar } from './lib/router';

startLanguage();

const address = new AddressBar();
const session = new AdminSession();

/** A one-time link may be what opened the page, or come later in the same tab. */
function followLink(): boolean {
  const token = tokenInFragment(address.fragment.get());
  if (token === null) return false;
  address.dropFragment();
  void session.start(token);
  return true;
}

if (!followLink()) void session.start(null);
address.fragment.subscribe(() => followLink());

const root = document.getElementById('root');
if (root === null) throw new Error('dashboard.html has an element with the id root');
createRoot(root).render(
  <StrictMode>
    <DashboardApp session={session} address={address} />
  </StrictMode>,
);
