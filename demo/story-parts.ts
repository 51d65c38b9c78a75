import { join } from 'node:path'
import type { ClientMail } from './client-mail.ts'
import type { ScriptedModel } from './scripted-model.ts'
import type { World } from './world.ts'

/** One step: what happens, and how it is verified. It throws when it is not; what it returns is shown. */
export type Step = {
  readonly name: string
  readonly title: string
  run(): Promise<string>
}

/** What the steps share; each relies on the ones before it. */
export type Story = {
  readonly world: World
  /** Unset: the template drafts. */
  readonly model: ScriptedModel | undefined
  readonly mail: ClientMail
  readonly limits: { readonly limitMs: number; readonly signal: AbortSignal }
  /** Learned on the way: the mail's Message-ID, the task's file name, where it waits, its month below Done/, the text as approved. */
  readonly known: { messageId: string; file: string; folder: string; month: string; draft: string }
}

/** The draft in the local vault. */
export function pendingFile({ world, known }: Story): string {
  return join(world.homes.local.vault, known.folder, known.file)
}
