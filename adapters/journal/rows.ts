import type { SQLOutputValue } from 'node:sqlite'
import type { Receipt } from '#core/countersignature.ts'
import type { TaskId } from '#core/ids.ts'
import type { DraftMemory, Freeze, Intent, IntentState, Presentation, SentBack } from '#core/ports/journal.ts'
import type { OutcomeFacts } from '#core/report.ts'

export type Row = Record<string, SQLOutputValue>

export function presentationOf(row: Row): Presentation {
  return {
    taskId: String(row.task_id) as TaskId,
    fileName: String(row.file_name),
    folder: String(row.folder),
    received: Number(row.received),
    generation: Number(row.generation),
    digest: String(row.digest),
    shown: String(row.shown),
    at: Number(row.at),
    isOwnText: row.own_text === 1,
    stands: row.stands === 1,
  }
}

export function draftMemoryOf(row: Row): DraftMemory {
  const textOf = (value: SQLOutputValue | undefined) => (value === null ? undefined : String(value))
  return {
    taskId: String(row.task_id) as TaskId,
    revision: Number(row.revision),
    received: Number(row.received),
    generation: Number(row.generation),
    drafted: String(row.drafted),
    shown: String(row.shown),
    previous: textOf(row.previous),
    answers: textOf(row.answers),
    isUnanswered: row.unanswered === 1,
    asked: textOf(row.asked),
  }
}

export function sentBackOf(row: Row): SentBack {
  return {
    fileName: String(row.file_name),
    taskId: row.task_id === null ? undefined : (String(row.task_id) as TaskId),
    rule: String(row.rule),
    say: String(row.say),
    generation: Number(row.generation),
    at: Number(row.at),
  }
}

export function freezeOf(row: Row): Freeze {
  return {
    taskId: String(row.task_id) as TaskId,
    tool: String(row.tool),
    generation: Number(row.generation),
    fileName: String(row.file_name),
    frozenAt: Number(row.frozen_at),
    undoUntil: Number(row.undo_until),
  }
}

export function intentOf(row: Row): Intent {
  return {
    taskId: String(row.task_id) as TaskId,
    generation: Number(row.generation),
    fileName: String(row.file_name),
    state: row.state as IntentState,
    digest: String(row.digest),
    key: String(row.key),
    receipt: JSON.parse(String(row.receipt)) as Receipt,
    action: row.action === null ? undefined : String(row.action),
    answer: row.answer === null ? undefined : String(row.answer),
    link: row.link === null ? undefined : String(row.link),
    facts: row.facts === null ? undefined : (JSON.parse(String(row.facts)) as OutcomeFacts),
    intendedAt: Number(row.intended_at),
    updatedAt: Number(row.updated_at),
  }
}
