/** Connection state for display: a first connection attempt does not count as lost. */
import type { SocketState } from './socket';

export class Connection {
  lost = $state(false);
  /** Time of the next attempt, ms of this page's clock; 0 if none is scheduled. */
  retryAt = $state(0);

  update(state: SocketState, wait: number): void {
    this.retryAt = wait ? Date.now() + wait : 0;
    if (state === 'open' || state === 'waiting') this.lost = state === 'waiting';
  }
}
