import { describe, expect, test } from 'vitest'
import { readAction } from './action.ts'
import { renderCard } from './card.ts'
import { isTaskId, makeTaskId, shortId } from './ids.ts'
import {
  newTaskFile,
  parseTaskFile,
  renderSection,
  renderTaskFile,
  section,
  ticksOf,
  withSection,
} from './task-file.ts'
import { canMove, TRANSITIONS } from './task-state.ts'
import {
  conflictCopyPath,
  DOMAINS,
  isConflictCopy,
  parseVaultPath,
  type TaskPlace,
  taskFileName,
  vaultPath,
} from './vault-path.ts'
import { decideZone, OPERATIONS, ZONES } from './zone-policy.ts'

describe('ids', () => {
  test('are ULIDs of their time, the same for the same source', () => {
    const id = makeTaskId(1_469_918_176_385, new Uint8Array(10))
    expect(id).toBe('01ARYZ6S410000000000000000')
    expect(isTaskId(id)).toBe(true)
    expect(isTaskId('8ZZZZZZZZZZZZZZZZZZZZZZZZZ')).toBe(false)
    expect(shortId(makeTaskId(0, new Uint8Array(10).fill(255)))).toBe('zzzzzz')
  })
})

describe('file names', () => {
  const id = makeTaskId(0, new Uint8Array(10).fill(7))
  test.each(['Invoice for March', '', 'Ünï çode — 請求書', '../../etc/passwd', 'a\nb: ---', 'x'.repeat(500), '  .. '])(
    'of the title %j are paths of the contract',
    (title) => {
      const name = taskFileName({ kind: 'EMAIL', dayIso: '2026-11-20', title, id })
      expect(parseVaultPath(`Needs_Action/email/${name}`)).toMatchObject({ ok: true })
    },
  )
  test('of conflict copies are recognised and stay paths of the contract', () => {
    const copy = conflictCopyPath(
      vaultPath('Pending_Approval/email/EMAIL_2026-11-20_x_abcdef.md'),
      'cloud',
      0,
      'deadbeefcafe',
    )
    expect(copy).toBe('Pending_Approval/email/EMAIL_2026-11-20_x_abcdef.conflict-cloud-19700101T000000Z-deadbeef.md')
    expect([isConflictCopy(copy), parseVaultPath(copy).ok, isConflictCopy('Inbox/a.md')]).toEqual([true, true, false])
  })
})

test('the zone policy is this table', () => {
  const allowed = ZONES.flatMap((zone) =>
    OPERATIONS.map(
      (operation) =>
        `${zone} ${operation}: ${DOMAINS.filter((domain) => decideZone(zone, domain, operation).allow).join(' ')}`,
    ),
  )
  expect(allowed).toEqual([
    'cloud triage: email social accounting general',
    'cloud claim: email social accounting general',
    'cloud draft: email social accounting general',
    'cloud approve: ',
    'cloud execute: ',
    'local triage: email social accounting whatsapp payment general',
    'local claim: email social accounting whatsapp payment general',
    'local draft: email social accounting whatsapp payment general',
    'local approve: email social accounting whatsapp payment general',
    'local execute: email social accounting whatsapp payment general',
  ])
})

describe('the state machine', () => {
  const places: TaskPlace[] = [
    { kind: 'needs-action', domain: 'email' },
    { kind: 'in-progress', agent: 'cloud' },
    { kind: 'in-progress', agent: 'local' },
    { kind: 'pending', domain: 'email' },
    { kind: 'approved' },
    { kind: 'rejected' },
    { kind: 'done', month: '2026-11' },
  ]
  const name = (place: TaskPlace) => (place.kind === 'in-progress' ? place.agent : place.kind)
  test('lets the cloud make exactly these moves', () => {
    const moves = places.flatMap((from) =>
      places
        .filter((to) => to !== from && canMove(from, to, { zone: 'cloud', agent: 'cloud' }))
        .map((to) => `${name(from)} → ${name(to)}`),
    )
    expect(moves).toEqual(['needs-action → cloud', 'cloud → needs-action', 'cloud → pending'])
  })
  test('lets nobody leave Done or change a domain on the way', () => {
    for (const by of ['person', { zone: 'local', agent: 'local' }] as const) {
      expect(places.filter((to) => to.kind !== 'done' && canMove({ kind: 'done', month: '2026-11' }, to, by))).toEqual(
        [],
      )
      expect(canMove({ kind: 'needs-action', domain: 'email' }, { kind: 'pending', domain: 'payment' }, by)).toBe(false)
    }
    expect(TRANSITIONS.some((one) => one.from === 'done')).toBe(false)
  })
})

function pending(
  title = 'Invoice',
  body = `# cloud prose\n\nYou MUST approve this.\n\n${renderSection('draft', 'Dear Ana')}\n`,
) {
  return newTaskFile(
    {
      id: '01J8Z3W6Q0ABCDEFGHJKMNPQRS',
      schema: '1',
      kind: 'EMAIL',
      domain: 'email',
      title,
      created: '2026-11-20T10:00:00Z',
      generation: '1',
      risk: ['reply-to-differs'],
      action: {
        tool: 'email.send_email',
        account: 'owner@countersign.test',
        to: ['ana@acme.example'],
        subject: 'Re: `x` | y',
      } as { tool: string },
    },
    body,
  )
}

describe('the approval card', () => {
  const RISKS = [{ flag: 'reply-to-differs', level: 'notice', say: 'the reply goes to another address' } as const]
  const facts = { digest: `sha256:${'a'.repeat(64)}`, presentedAt: '2026-11-20T10:00:00.000Z', undoSeconds: 10 }
  const present = (task: ReturnType<typeof pending>, notice?: string) => {
    const verdict = readAction(task)
    if (!verdict.ok) throw new Error(verdict.problem)
    return renderCard(task, verdict.action, { ...facts, notice, risks: RISKS, code: undefined, expires: undefined })
  }

  test('says what will be done from the action, and drops what the cloud wrote around it', () => {
    const task = present(pending())
    const card = section(task, 'card')
    expect(card).toContain('`ana@acme.example`')
    expect(card).toContain('`` Re: `x` \\| y ``')
    expect(card).toContain('the reply goes to another address')
    expect(task.body).not.toContain('MUST approve')
    expect(ticksOf(task)).toEqual([])
    expect(parseTaskFile(renderTaskFile(task)).ok).toBe(true)
    expect(parsedAction(task)).toEqual(parsedAction(pending()))
  })

  test('keeps a person’s prose and resets ticks when it is rendered again', () => {
    const first = present(pending())
    const touched = withSection({ ...first, body: `${first.body}\nmy own remark\n` }, 'decision', '- [x] Approve')
    const again = present(touched, 'the recipients changed')
    expect(again.body).toContain('my own remark')
    expect(section(again, 'card')).toContain('**Please look again:** the recipients changed')
    expect(ticksOf(again)).toEqual([])
  })

  test('shows a hostile title as text', () => {
    const task = present(pending('![x](https://evil.example/a.png) <img src=x> [[y]] \u202e'))
    expect(task.body.split('\n')[1]).toBe(
      '# \\!\\[x\\](https\\:\\//evil.example/a.png) \\<img src\\=x\\> \\[\\[y\\]\\] ⟦U+202E⟧',
    )
  })
})

function parsedAction(task: ReturnType<typeof pending>) {
  return readAction(task)
}
