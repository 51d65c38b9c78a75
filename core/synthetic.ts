import { makeTaskId, type TaskId } from './ids.ts'
import type { RawMail } from './ports/mail.ts'
import { newTaskFile, renderSection, renderTaskFile } from './task-file.ts'
import { taskFileName } from './vault-path.ts'

// A task that is none: each minute one passes through the very code that real ones pass through, in a folder of the zone's
// state that no synchronisation knows. Nothing of it leaves the machine, and no ledger, journal or metric counts it.

export const SYNTHETIC_EVERY_MS = 60_000
/** In the zone's state. */
export const SYNTHETIC_FOLDER = 'synthetic'
/** Names that can belong to nobody (RFC 2606). */
export const SYNTHETIC_OWNER = 'owner@countersign.invalid'
const SYNTHETIC_SENDER = 'canary@countersign.invalid'

/** A mail as a mailbox would have given it. */
export function syntheticMail(nowMs: number): RawMail {
  const source = Buffer.from(
    [
      `From: Canary <${SYNTHETIC_SENDER}>`,
      `To: ${SYNTHETIC_OWNER}`,
      'Subject: Are you still there',
      `Message-ID: <${nowMs}@countersign.invalid>`,
      `Date: ${new Date(nowMs).toUTCString()}`,
      'MIME-Version: 1.0',
      'Content-Type: text/plain; charset=utf-8',
      '',
      'Could you confirm that you are still there?',
      '',
    ].join('\r\n'),
  )
  return { receivedAt: nowMs, size: source.length, source, declaredAttachments: [] }
}

/** A draft as the drafter hands one in. `random`: 10 bytes. */
export function syntheticDraft(nowMs: number, random: Uint8Array): { id: TaskId; fileName: string; text: string } {
  const id = makeTaskId(nowMs, random)
  const at = new Date(nowMs).toISOString()
  const title = 'Are you still there'
  const task = newTaskFile(
    {
      ...{ id, schema: '1', kind: 'EMAIL', domain: 'email', title, created: at, generation: '1' },
      drafted: { by: 'synthetic', model: 'template', at, cost_usd: '0' },
      action: {
        tool: 'email.send_email',
        account: SYNTHETIC_OWNER,
        to: [SYNTHETIC_SENDER],
        subject: `Re: ${title}`,
        in_reply_to: `<${nowMs}@countersign.invalid>`,
        references: [`<${nowMs}@countersign.invalid>`],
      },
    },
    [
      `# ${title}`,
      renderSection('draft', 'Yes.'),
      renderSection('original', '```text\nCould you confirm that you are still there?\n```'),
      '',
    ].join('\n\n'),
  )
  return {
    id,
    fileName: taskFileName({ kind: 'EMAIL', dayIso: at.slice(0, 10), title, id }),
    text: renderTaskFile(task),
  }
}
