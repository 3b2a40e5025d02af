/** Whether the server is heard, for the eye: a link that is only being made is not lost. */
import type { SocketState } from './socket';

export class Link {
  lost = $state(false);
  /** When it is tried again, ms of this page's clock; 0 while nothing waits. */
  retryAt = $state(0);

  take(state: SocketState, wait: number): void {
    this.retryAt = wait ? Date.now() + wait : 0;
    if (state === 'open' || state === 'waiting') this.lost = state === 'waiting';
  }
}
