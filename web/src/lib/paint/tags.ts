/** The names of clusters as DOM nodes: crisp text, read by machines, moved only when they move. */
import { dollars, percent } from '../format';
import type { Tag } from '../chart/labels';

interface Node {
  root: HTMLElement;
  mass: HTMLElement;
  side: HTMLElement;
  distance: HTMLElement;
  written: string;
}

export class TagLayer {
  readonly #host: HTMLElement;
  readonly #nodes: Node[] = [];

  constructor(host: HTMLElement) {
    this.#host = host;
  }

  /** `slim`: an arrow instead of the word, where there is no room for it. */
  show(tags: readonly Tag[], right: number, mark: number, slim = false): void {
    while (this.#nodes.length < tags.length) this.#nodes.push(this.#make());
    this.#nodes.forEach((node, i) => {
      const tag = tags[i];
      if (!tag) {
        node.root.hidden = true;
        return;
      }
      const { side, mass, peak } = tag.cluster;
      const distance = peak / mark - 1;
      const written = `${side} ${slim} ${dollars(mass)} ${percent(distance)} ${Math.round(tag.y)} ${right}`;
      node.root.hidden = false;
      if (written === node.written) return;
      node.written = written;
      node.root.dataset['side'] = side;
      node.root.title = `${side === 'long' ? 'Longs' : 'Shorts'}, estimated`;
      node.mass.textContent = dollars(mass);
      node.side.textContent = slim ? (side === 'long' ? '↓' : '↑') : `${side}s`;
      node.distance.textContent = percent(distance);
      node.root.style.transform = `translateY(${Math.round(tag.y)}px) translateY(-50%)`;
      node.root.style.right = `${right}px`;
    });
  }

  clear(): void {
    this.show([], 0, 1);
  }

  #make(): Node {
    const root = document.createElement('div');
    root.className = 'tag';
    const mass = document.createElement('b');
    const side = document.createElement('i');
    const distance = document.createElement('span');
    root.append(mass, side, distance);
    this.#host.append(root);
    return { root, mass, side, distance, written: '' };
  }
}
