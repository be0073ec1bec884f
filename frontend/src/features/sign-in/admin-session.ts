/**
 * Is an administrator signed in? The session is a cookie of the origin that scripts cannot read, so the
 * server is asked. A one-time link brings its token in the fragment, from where it is taken out at once.
 */
import { call, type ApiResult } from '@/lib/api';
import { Store } from '@/lib/store';

export type AdminState = 'checking' | 'out' | 'refusedLink' | 'in' | 'unreachable';

const CHECK_MS = 20_000;
const RETRY_MS = 3_000;

export function tokenInFragment(fragment: string): string | null {
  const token = new URLSearchParams(fragment.replace(/^#/, '')).get('token');
  return token === null || token === '' ? null : token;
}

export class AdminSession {
  readonly state = new Store<AdminState>('checking');
  #timer: ReturnType<typeof setTimeout> | undefined;

  async start(linkToken: string | null): Promise<void> {
    if (linkToken !== null && !(await this.signIn(linkToken)).ok) {
      // An old link opened again by someone who is signed in already is no reason to complain.
      await this.check();
      if (this.state.get() === 'out') this.state.set('refusedLink');
      return;
    }
    await this.check();
  }

  async check(): Promise<void> {
    clearTimeout(this.#timer);
    const answer = await call('GET', '/api/session');
    if (answer.ok) this.state.set('in');
    else if (answer.problem.status === 401 || answer.problem.status === 403) this.#signedOut();
    else if (this.state.get() !== 'in') this.state.set('unreachable');
    this.#timer = setTimeout(
      () => void this.check(),
      this.state.get() === 'unreachable' ? RETRY_MS : CHECK_MS,
    );
  }

  async signIn(token: string): Promise<ApiResult<unknown>> {
    const answer = await call('POST', '/api/session', { token });
    if (answer.ok) this.state.set('in');
    return answer;
  }

  async signOut(): Promise<void> {
    await call('DELETE', '/api/session');
    await this.check();
  }

  #signedOut(): void {
    if (this.state.get() !== 'refusedLink') this.state.set('out');
  }
}
