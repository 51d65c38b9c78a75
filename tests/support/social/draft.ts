import { makeTaskId, type TaskId } from '#core/ids.ts'
import { newTaskFile, renderSection, renderTaskFile } from '#core/task-file.ts'
import { taskFileName } from '#core/vault-path.ts'

let counter = 0

/** The draft of a post as it is handed in: its file name and its text. */
export function makePostDraft(
  action: Record<string, unknown> | undefined,
  body: string,
  options: { readonly atMs?: number; readonly generation?: string } = {},
): { id: TaskId; fileName: string; text: string } {
  const seed = Buffer.alloc(10)
  seed.writeUInt32BE(++counter, 6)
  const atMs = options.atMs ?? Date.parse('2026-11-20T11:00:00.000Z')
  const id = makeTaskId(atMs, seed)
  const task = newTaskFile(
    {
      id,
      schema: '1',
      kind: 'POST',
      domain: 'social',
      title: 'Open on Monday',
      created: new Date(atMs).toISOString(),
      generation: options.generation ?? '1',
      ...(action && { action: { tool: 'social.publish_post', ...action } }),
    },
    ['# Open on Monday', renderSection('draft', body), ''].join('\n\n'),
  )
  return {
    id,
    fileName: taskFileName({ kind: 'POST', dayIso: '2026-11-20', title: 'Open on Monday', id }),
    text: renderTaskFile(task),
  }
}
