import { createHash } from 'node:crypto'
import { makeTaskId } from '#core/ids.ts'
import type { VaultPort } from '#core/ports/vault.ts'
import { NETWORK_NAMES, NETWORKS, type Network } from '#core/social-text.ts'
import { newTaskFile, renderTaskFile, section, type TaskFile } from '#core/task-file.ts'
import { taskFileName, taskPath } from '#core/vault-path.ts'

/** The one network that a task is for, by its own front matter. */
export function ownNetwork({ front }: TaskFile): Network | undefined {
  const named = (front as Record<string, unknown>).network
  return NETWORKS.find((network) => network === named)
}

/** The networks that a task asks for by name in its title or text; where it names none, all that there are accounts for. */
export function wantedNetworks(task: TaskFile, accounts: readonly Network[]): Network[] {
  const own = ownNetwork(task)
  if (own !== undefined) return accounts.filter((network) => network === own)
  const text = `${task.front.title}\n${section(task, 'original') ?? ''}`
  const named = NETWORKS.filter((network) => isNamed(network, text))
  return accounts.filter((network) => named.length === 0 || named.includes(network))
}

/**
 * A task for each further network, child of the first. Their ids and names derive from it: written again after a crash
 * they are found wherever they stand by then, and never doubled.
 */
export async function writeSiblings(
  first: TaskFile,
  networks: readonly Network[],
  vault: Pick<VaultPort, 'find' | 'create'>,
): Promise<void> {
  for (const network of networks) {
    const { fileName, task } = siblingOf(first, network)
    if (await vault.find(fileName)) continue
    await vault.create(taskPath({ kind: 'needs-action', domain: 'social' }, fileName), renderTaskFile(task))
  }
}

function siblingOf({ front, body }: TaskFile, network: Network): { fileName: string; task: TaskFile } {
  const createdAt = Date.parse(front.created)
  const id = makeTaskId(createdAt, createHash('sha256').update(`${front.id}/${network}`).digest())
  const title = `${front.title} (${NETWORK_NAMES[network]})`.slice(-300)
  const {
    id: _id,
    title: _title,
    history: _history,
    drafted: _drafted,
    action: _action,
    presented: _presented,
    ...rest
  } = front
  const task = newTaskFile(
    { ...rest, id, title, parent: front.id, generation: '0', history: [], network } as Parameters<
      typeof newTaskFile
    >[0],
    body,
  )
  return { fileName: taskFileName({ kind: front.kind, dayIso: front.created.slice(0, 10), title, id }), task }
}

/** `x` is a letter: it counts only where it is written as the name of the network. */
function isNamed(network: Network, text: string): boolean {
  if (network === 'x') return /\bTwitter\b|(?<![\p{L}\p{N}])X(?=[\s,.;:)]|$)/u.test(text)
  return new RegExp(`\\b${network}\\b`, 'i').test(text)
}
