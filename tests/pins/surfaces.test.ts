import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ERROR_CODES } from '#core/errors.ts'
import { JOBS, taskJobId } from '#core/jobs.ts'
import { LEDGER_TYPES } from '#core/ledger.ts'
import { newTaskFile, renderTaskFile, SECTIONS } from '#core/task-file.ts'
import { DOMAINS, ROOT_NOTES } from '#core/vault-path.ts'
import { METRICS } from '#runtime/metrics.ts'

// Literals of what others rely on. A red test here says: this is a change of a public surface; if it is meant, change
// the literal and say so in CHANGELOG.md.

test('the vault’s words', () => {
  expect(DOMAINS).toEqual(['email', 'social', 'accounting', 'whatsapp', 'payment', 'general'])
  expect(ROOT_NOTES).toEqual(['Dashboard.md', 'Company_Handbook.md', 'Business_Goals.md', 'HALT.md'])
  expect(SECTIONS).toEqual(['decision', 'card', 'draft', 'notes', 'original'])
})

test('a task file’s front matter, byte for byte', () => {
  const task = newTaskFile(
    {
      id: '01J8Z3W6Q0ABCDEFGHJKMNPQRS',
      schema: '1',
      kind: 'EMAIL',
      domain: 'email',
      title: 'Invoice: March #1 "now"',
      created: '2026-11-20T10:00:00.000Z',
      source: { provider: 'imap', message_id: '<a@b.example>', subject: 'Invoice', references: ['<c@d.example>'] },
      risk: [],
      generation: '3',
      history: [{ state: 'Needs_Action/email', agent: 'cloud', at: '2026-11-20T10:00:00.000Z' }],
    },
    '# Invoice\n',
  )
  expect(renderTaskFile(task)).toBe(`---
id: 01J8Z3W6Q0ABCDEFGHJKMNPQRS
schema: 1
kind: EMAIL
domain: email
title: 'Invoice: March #1 "now"'
created: 2026-11-20T10:00:00.000Z
source:
  provider: imap
  message_id: <a@b.example>
  subject: Invoice
  references:
    - <c@d.example>
risk: []
generation: 3
history:
  - state: Needs_Action/email
    agent: cloud
    at: 2026-11-20T10:00:00.000Z
---
# Invoice
`)
})

test('error codes', () => {
  expect(Object.keys(ERROR_CODES)).toEqual(Object.keys(ERROR_CODES).toSorted())
  expect(Object.keys(ERROR_CODES)).toMatchInlineSnapshot(`
    [
      "ERR_ATTACHMENT_CHANGED",
      "ERR_BACKUP_DAMAGED",
      "ERR_BACKUP_FAILED",
      "ERR_BACKUP_FULL",
      "ERR_BACKUP_LOCKED",
      "ERR_BACKUP_NONE",
      "ERR_BACKUP_PASSWORD",
      "ERR_BACKUP_UNREACHABLE",
      "ERR_BROWSER_FAILED",
      "ERR_CLONE_IN_USE",
      "ERR_CODE_NEEDED",
      "ERR_CONFIG_INVALID",
      "ERR_CONFLICT_NOT_FOUND",
      "ERR_CONFLICT_STATE",
      "ERR_COUNTERSIGNATURE_INVALID",
      "ERR_DEMO_FAILED",
      "ERR_FENCED",
      "ERR_GATE_REFUSED",
      "ERR_GIT_FAILED",
      "ERR_GUARD_MISSING",
      "ERR_HOME_MISSING",
      "ERR_HOME_UNWRITABLE",
      "ERR_HUB_UNREACHABLE",
      "ERR_HUB_WRITE_FAILED",
      "ERR_JOURNAL_FAILED",
      "ERR_KEY_LOCKED",
      "ERR_LEDGER_BROKEN",
      "ERR_MAIL_AUTH",
      "ERR_MAIL_REFUSED",
      "ERR_MAIL_UNREACHABLE",
      "ERR_MIGRATION_FAILED",
      "ERR_NOTIFY_FAILED",
      "ERR_NOT_RUNNING",
      "ERR_ODOO_AUTH",
      "ERR_ODOO_REFUSED",
      "ERR_ODOO_UNREACHABLE",
      "ERR_ODOO_UNSUPPORTED",
      "ERR_OUTCOME_UNKNOWN",
      "ERR_PAYMENT_REFUSED",
      "ERR_PAYMENT_UNAVAILABLE",
      "ERR_REDIS_MISSING",
      "ERR_REDIS_UNREACHABLE",
      "ERR_RESTORE_REFUSED",
      "ERR_SKILL_INVALID",
      "ERR_SOCIAL_AUTH",
      "ERR_SOCIAL_REFUSED",
      "ERR_SOCIAL_UNREACHABLE",
      "ERR_STATE_NEWER",
      "ERR_STATE_OUTDATED",
      "ERR_STATE_WRITE_FAILED",
      "ERR_TASK_FILE_INVALID",
      "ERR_TASK_NOT_FOUND",
      "ERR_TASK_STATE",
      "ERR_UPGRADE_FAILED",
      "ERR_USAGE",
      "ERR_VAULT_EMPTIED",
      "ERR_VAULT_PATH_INVALID",
      "ERR_VAULT_UNREADABLE",
      "ERR_VAULT_WRITE_FAILED",
      "ERR_WHATSAPP_IN_USE",
      "ERR_WHATSAPP_PLACE",
      "ERR_WHATSAPP_REFUSED",
      "ERR_WHATSAPP_UNREACHABLE",
      "ERR_ZONE_FORBIDDEN",
    ]
  `)
})

test('jobs: queues, names, payload keys, ids', () => {
  expect(
    Object.entries(JOBS).map(
      ([queue, jobs]) =>
        `${queue}: ${Object.entries(jobs).map(([name, schema]) => `${name}(${Object.keys(schema.shape).join(', ')})`)}`,
    ),
  ).toEqual([
    'draft: draft-reply(taskId, generation)',
    'execute: execute-approved(taskId, generation)',
    'sync: sync-now()',
  ])
  expect(taskJobId(JOBS.draft['draft-reply'].parse({ taskId: '01J8Z3W6Q0ABCDEFGHJKMNPQRS', generation: 2 }))).toBe(
    '01J8Z3W6Q0ABCDEFGHJKMNPQRS-2',
  )
  expect(
    JOBS.execute['execute-approved'].safeParse({
      taskId: '01J8Z3W6Q0ABCDEFGHJKMNPQRS',
      generation: 2,
      to: 'x@y.example',
    }).success,
  ).toBe(false)
})

test('ledger entry types', () => {
  expect(LEDGER_TYPES).toMatchInlineSnapshot(`
    [
      "task.created",
      "task.joined",
      "mail.skipped",
      "mail.bounced",
      "task.claimed",
      "task.given-back",
      "model.asked",
      "task.drafted",
      "task.returned",
      "draft.presented",
      "task.approved",
      "task.rejected",
      "task.redraft",
      "execution.intended",
      "execution.done",
      "execution.refused",
      "execution.unknown",
      "execution.resolved",
      "conflict.kept",
      "file.refused",
      "path.held",
      "gate.refused",
      "hub.rolled-back",
      "hub.reattached",
      "conflict.settled",
      "zone.forbidden",
      "ledger.checkpoint",
      "ledger.witnessed",
      "key.rotated",
      "machine.restored",
    ]
  `)
})

test('metric names', () => {
  expect(Object.keys(METRICS).toSorted()).toMatchInlineSnapshot(`
    [
      "countersign_approval_to_execution_seconds",
      "countersign_arrival_to_draft_seconds",
      "countersign_backup_failing",
      "countersign_backup_last_success_timestamp_seconds",
      "countersign_backup_runs_total",
      "countersign_boots_total",
      "countersign_build_info",
      "countersign_canary_age_seconds",
      "countersign_canary_round_seconds",
      "countersign_certificate_expiry_timestamp_seconds",
      "countersign_claims_total",
      "countersign_classified_total",
      "countersign_clock_skew_seconds",
      "countersign_component_failed_restarts",
      "countersign_component_ready",
      "countersign_component_recovery_seconds",
      "countersign_dependency_up",
      "countersign_disk_used_ratio",
      "countersign_drafts_total",
      "countersign_duplicates_prevented_total",
      "countersign_egress_total",
      "countersign_errors_total",
      "countersign_executions_total",
      "countersign_gate_refusals_total",
      "countersign_git_seconds",
      "countersign_heartbeat_timestamp_seconds",
      "countersign_hub_rollbacks_total",
      "countersign_jobs_total",
      "countersign_ledger_append_seconds",
      "countersign_ledger_entries_total",
      "countersign_mail_token_expiry_timestamp_seconds",
      "countersign_mailbox_watched",
      "countersign_mails_total",
      "countersign_model_breaker_state",
      "countersign_model_cost_usd_total",
      "countersign_model_day_cap_usd",
      "countersign_model_day_spend_usd",
      "countersign_model_questions_total",
      "countersign_model_request_seconds",
      "countersign_model_requests_total",
      "countersign_model_tokens_total",
      "countersign_notifications_total",
      "countersign_proof_last_timestamp_seconds",
      "countersign_proof_lines",
      "countersign_queue_jobs",
      "countersign_queue_oldest_age_seconds",
      "countersign_restore_drill_last_success_timestamp_seconds",
      "countersign_returns_total",
      "countersign_sync_check_problems",
      "countersign_sync_check_timestamp_seconds",
      "countersign_sync_conflicts_total",
      "countersign_sync_cycles_total",
      "countersign_sync_held_files",
      "countersign_sync_last_success_timestamp_seconds",
      "countersign_sync_open_conflicts",
      "countersign_sync_propagation_seconds",
      "countersign_synthetic_age_seconds",
      "countersign_task_oldest_age_seconds",
      "countersign_tasks_total",
      "countersign_whatsapp_received_total",
      "countersign_whatsapp_session",
      "countersign_zone_executions_total",
      "countersign_zone_health",
      "countersign_zone_last_heard_timestamp_seconds",
      "countersign_zone_oldest_approved_seconds",
      "countersign_zone_tasks",
    ]
  `)
})

test('skills', () => {
  expect(readdirSync(join(import.meta.dirname, '../../skills'))).toEqual([
    'check-claimed',
    'claim-task',
    'cloud-draft-email',
    'cloud-draft-social',
    'cloud-health-check',
    'cloud-odoo-draft',
    'cloud-write-update',
    'local-execute-approved',
    'local-merge-updates',
    'local-payments',
    'local-whatsapp',
    'sync-vault',
  ])
})
