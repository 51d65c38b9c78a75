import type { Alert } from './alerts.ts'
import { builtIn, metric } from './promql.ts'

const refusals = metric('countersign_gate_refusals_total')
const agreed = metric('countersign_sync_last_success_timestamp_seconds')
const forged = metric('countersign_gate_refusals_total', { rule: 'local-only-path' })

/** A rule's counter begins with its first refusal, of which `increase` sees nothing. */
const grown = (series: string) => `increase(${series}[15m]) > 0 or (${series} unless ${series} offset 15m)`

export const SYNC_ALERTS: readonly Alert[] = [
  {
    name: 'CountersignGateRefused',
    query: grown(refusals),
    above: 0,
    severity: 'page',
    summary: 'The {{ $labels.zone }} zone refused something that stands at the hub ({{ $labels.rule }}).',
    description:
      'A commit broke a rule that every agent of yours keeps: somebody else writes to the hub, or an agent is not itself. It was not applied, nor anything after it. `countersign status` shows it; docs/runbook.md says what to do.',
  },
  {
    name: 'CountersignForgedApproval',
    query: grown(forged),
    above: 0,
    severity: 'page',
    summary: 'Somebody tried to put an approval, a rejection or a finished task into your vault.',
    description:
      'Those folders are yours alone. It was refused by the {{ $labels.zone }} zone and nothing was done. Treat the cloud machine as taken over until you know better; docs/runbook.md says what to do.',
  },
  {
    name: 'CountersignHubRolledBack',
    query: `increase(${metric('countersign_hub_rollbacks_total')}[1h])`,
    above: 0,
    severity: 'page',
    summary: 'The hub came back with an older history, and got back what is known here.',
    description:
      "A backup was restored, or the hub's disk lost what it had acknowledged. What no clone knew is gone. Look at the hub's machine; `countersign sync --verify` holds everything against each other.",
  },
  {
    name: 'CountersignSecretHeld',
    query: metric('countersign_sync_held_files', { reason: 'secret' }),
    above: 0,
    for: '5m',
    severity: 'ticket',
    summary: 'Sync of the {{ $labels.zone }} zone holds back {{ $value }} files that look like secrets.',
    description: '`countersign status` names them, `countersign sync why <path>` says which rule keeps a file here.',
  },
  {
    name: 'CountersignSyncSilent',
    // A round looks at everything every ten minutes, whether or not anything happens.
    // One that never agreed since it began counts from there.
    query: `time() - (${agreed} or on (zone) ${builtIn('process_start_time_seconds', 'sync')})`,
    above: 1500,
    for: '2m',
    severity: 'page',
    summary: 'Sync of the {{ $labels.zone }} zone has not agreed with the hub for {{ $value | humanizeDuration }}.',
    description: 'The hub is away, refuses pushes, or sync does not get on. `countersign status` says which.',
  },
  {
    name: 'CountersignCheckFailed',
    query: metric('countersign_sync_check_problems'),
    above: 0,
    severity: 'ticket',
    summary: 'The check of everything found {{ $value }} problems in the {{ $labels.zone }} zone.',
    description: '`countersign status` names them, `countersign sync --repair` mends what can be mended.',
  },
  {
    name: 'CountersignCheckOverdue',
    query: `time() - ${metric('countersign_sync_check_timestamp_seconds')}`,
    above: 180_000,
    severity: 'ticket',
    summary: 'The {{ $labels.zone }} zone has not been checked for {{ $value | humanizeDuration }}.',
    description:
      'Each night vault, clone, hub and ledgers are held against each other; two nights were missed. `countersign sync --verify` does it now.',
  },
  {
    name: 'CountersignConflictOpen',
    query: metric('countersign_sync_open_conflicts'),
    above: 0,
    for: '1h',
    severity: 'ticket',
    summary: '{{ $value }} conflict copies wait for you in the {{ $labels.zone }} zone.',
    description:
      'Two sides changed the same file and both versions were kept. `countersign sync conflicts` shows both and keeps the one you want.',
  },
  {
    name: 'CountersignCloudSilent',
    query: `time() - ${metric('countersign_zone_last_heard_timestamp_seconds', { of: 'cloud', zone: 'local' })}`,
    above: 300,
    for: '5m',
    severity: 'page',
    summary: 'Nothing has come from the cloud zone for {{ $value | humanizeDuration }}.',
    description:
      'Its heartbeat comes about once a minute. If this machine reaches the hub (`countersign status`), the cloud is down: look at its machine, `docker compose -f compose.cloud.yml ps`.',
  },
  {
    name: 'CountersignCanaryLate',
    query: metric('countersign_canary_age_seconds', { service: 'executor' }),
    above: 2.5 * 3600,
    for: '10m',
    severity: 'page',
    summary: 'Nothing has come all the way from the cloud into your vault for {{ $value | humanizeDuration }}.',
    description:
      'A canary crosses every hour: cloud, hub, sync, executor. Somewhere on the way work stands still although nothing else says so: `countersign status` in both zones.',
  },
  {
    name: 'CountersignLocalSilent',
    query: `time() - ${metric('countersign_zone_last_heard_timestamp_seconds', { of: 'local', zone: 'cloud' })}`,
    above: 72 * 3600,
    for: '10m',
    severity: 'ticket',
    summary: 'Nothing has come from your own machine for {{ $value | humanizeDuration }}.',
    description: 'Drafts pile up until it is on again and reaches the hub. On holiday this is as it should be.',
  },
]
