import type { Alert } from './alerts.ts'
import { MEMORY_USED, REDIS_FULL } from './dashboards-host.ts'
import { EXPORTERS_UP, exported } from './promql.ts'

/** None of them pages: what a person feels of a machine in trouble has alerts of its own. */
export const HOST_ALERTS: readonly Alert[] = [
  {
    name: 'CountersignMemoryShort',
    query: MEMORY_USED,
    above: 0.92,
    for: '15m',
    severity: 'ticket',
    summary: 'The memory of the machine of the {{ $labels.zone }} zone is {{ $value | humanizePercentage }} taken.',
    description:
      'With none left the machine ends programs, and they start again. The dashboards "Host" and "Components" show what takes it.',
  },
  {
    name: 'CountersignOutOfMemory',
    query: `increase(${exported('node_vmstat_oom_kill')}[1h])`,
    above: 0,
    severity: 'ticket',
    summary: 'The machine of the {{ $labels.zone }} zone ended a program for want of memory.',
    description:
      'A container at its limit, or the machine itself was out of memory. Services start again by themselves and nothing is lost; `docker compose ps` shows which started anew.',
  },
  {
    name: 'CountersignRedisFull',
    query: REDIS_FULL,
    above: 0.8,
    for: '10m',
    severity: 'ticket',
    summary: 'Redis of the {{ $labels.zone }} zone is {{ $value | humanizePercentage }} full.',
    description:
      'It holds a few doorbells only, so something rings and nobody answers. When it is full it takes no more, and work is late; nothing is lost.',
  },
  {
    name: 'CountersignRedisHidden',
    query: `1 - ${exported('redis_up')}`,
    above: 0,
    for: '15m',
    severity: 'ticket',
    summary: 'What tells of Redis of the {{ $labels.zone }} zone cannot ask it.',
    description:
      'Redis is away, which other alerts tell of as well, or does not know the password of its user "watch": `docker compose logs redis-exporter`.',
  },
  {
    name: 'CountersignExporterAway',
    query: `1 - ${EXPORTERS_UP}`,
    above: 0,
    for: '15m',
    severity: 'ticket',
    summary: 'Nothing is known of the machine or of Redis of the {{ $labels.zone }} zone ({{ $labels.service }}).',
    description:
      'The program itself goes on; the dashboard "Host" stands still. `docker compose restart {{ $labels.service }}` brings it back.',
  },
]
