import type { MessageNode } from './message.ts';

type Nodes = ReadonlyMap<string, MessageNode>;

/** Ids from the first message down to `id`, both included; empty for `null` or an unknown id. */
export function pathTo(nodes: Nodes, id: string | null): string[] {
  const path: string[] = [];
  for (let node = id === null ? undefined : nodes.get(id); node !== undefined; ) {
    path.push(node.id);
    node = node.parentId === null ? undefined : nodes.get(node.parentId);
  }
  return path.reverse();
}

// A view asks for the siblings of every row it draws: one pass over the tree serves them all.
const indexes = new WeakMap<Nodes, Map<string | null, string[]>>();

/** Ids of the messages right below `parentId` (`null`: the first messages), oldest first. */
export function childrenOf(nodes: Nodes, parentId: string | null): readonly string[] {
  let index = indexes.get(nodes);
  if (index === undefined) {
    index = new Map();
    for (const node of nodes.values()) {
      const children = index.get(node.parentId);
      if (children === undefined) index.set(node.parentId, [node.id]);
      else children.push(node.id);
    }
    indexes.set(nodes, index);
  }
  return index.get(parentId) ?? [];
}

/** Ids of the messages beside `id`, itself included, oldest first; empty for an unknown id. */
export function siblingsOf(nodes: Nodes, id: string): readonly string[] {
  const node = nodes.get(id);
  return node === undefined ? [] : childrenOf(nodes, node.parentId);
}

/** The end of the branch through `id` that follows the newest child at every fork. */
export function newestLeaf(nodes: Nodes, id: string): string {
  let leaf = id;
  for (let child = childrenOf(nodes, leaf).at(-1); child !== undefined; ) {
    leaf = child;
    child = childrenOf(nodes, leaf).at(-1);
  }
  return leaf;
}

/** `id` and everything below it, parents first; empty for an unknown id. */
export function subtreeOf(nodes: Nodes, id: string): MessageNode[] {
  const root = nodes.get(id);
  const found = root === undefined ? [] : [root];
  // Grows while it is walked.
  for (const node of found) {
    for (const child of childrenOf(nodes, node.id)) found.push(nodes.get(child) as MessageNode);
  }
  return found;
}

/** The newest end of all; `null` in an empty tree. */
export function lastLeaf(nodes: Nodes): string | null {
  const top = childrenOf(nodes, null).at(-1);
  return top === undefined ? null : newestLeaf(nodes, top);
}

/** Parents before their children, siblings oldest first. */
export function inOrder(nodes: Nodes): Map<string, MessageNode> {
  const sorted = [...nodes.values()].sort((a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1));
  const placed = new Map<string, MessageNode>();
  for (const node of sorted) {
    const line: MessageNode[] = [];
    for (let at: MessageNode | undefined = node; at !== undefined && !placed.has(at.id); ) {
      line.push(at);
      at = at.parentId === null ? undefined : nodes.get(at.parentId);
    }
    for (const each of line.reverse()) placed.set(each.id, each);
  }
  return placed;
}
