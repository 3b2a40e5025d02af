/** Cluster labels as DOM nodes: crisp text, updated only when they change. */

import type { Tag } from '../chart/labels';
import { dollars, percent } from '../format';

interface Node {
  root: HTMLElement;
  notional: HTMLElement;
  side: HTMLElement;
  distance: HTMLElement;
  word: HTMLElement;
  content: string;
}

export class TagLayer {
  readonly #host: HTMLElement;
  readonly #nodes: Node[] = [];
  /** A word more about a cluster, empty for none. */
  word: (cluster: Tag['cluster']) => string = () => '';

  constructor(host: HTMLElement) {
    this.#host = host;
  }

  /** `slim` shows an arrow instead of the side, where there is no room. */
  show(tags: readonly Tag[], right: number, mark: number, slim = false): void {
    while (this.#nodes.length < tags.length) this.#nodes.push(this.#createNode());
    this.#nodes.forEach((node, i) => {
      const tag = tags[i];
      if (!tag) {
        node.root.hidden = true;
        return;
      }
      const { side, notional, peak } = tag.cluster;
      const distance = peak / mark - 1;
      const word = this.word(tag.cluster);
      const content = `${side} ${word} ${slim} ${dollars(notional)} ${percent(distance)} ${Math.round(tag.y)} ${right}`;
      node.root.hidden = false;
      if (content === node.content) return;
      node.content = content;
      node.root.dataset['side'] = side;
      node.root.title = `${side === 'long' ? 'Longs' : 'Shorts'}, estimated`;
      node.notional.textContent = dollars(notional);
      node.side.textContent = slim ? (side === 'long' ? '↓' : '↑') : `${side}s`;
      node.distance.textContent = percent(distance);
      node.word.textContent = word;
      node.root.style.transform = `translateY(${Math.round(tag.y)}px) translateY(-50%)`;
      node.root.style.right = `${right}px`;
    });
  }

  clear(): void {
    this.show([], 0, 1);
  }

  #createNode(): Node {
    const root = document.createElement('div');
    root.className = 'tag';
    const notional = document.createElement('b');
    const side = document.createElement('i');
    const distance = document.createElement('span');
    const word = document.createElement('em');
    root.append(notional, side, distance, word);
    this.#host.append(root);
    return { root, notional, side, distance, word, content: '' };
  }
}
