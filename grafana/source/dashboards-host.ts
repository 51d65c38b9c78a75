import { BACKUP_PANELS } from './dashboards-backup.ts'
import type { Dashboard } from './panels.ts'
import { EXPORTERS_UP, exported, metric } from './promql.ts'

const rate = (series: string) => `rate(${series}[5m])`
const busy = `1 - avg by (zone) (${rate(exported('node_cpu_seconds_total', { mode: 'idle' }))})`
const taken = (mode: 'iowait' | 'steal') => `avg by (zone) (${rate(exported('node_cpu_seconds_total', { mode }))})`
/** Of a virtual machine whose host gives it less than it asked for, and of disks that keep it waiting. */
const WAITING = [
  [taken('iowait'), '{{zone}} waiting for disks'],
  [taken('steal'), '{{zone}} taken by the host'],
] as const
export const MEMORY_USED = `1 - ${exported('node_memory_MemAvailable_bytes')} / ${exported('node_memory_MemTotal_bytes')}`
export const REDIS_FULL = `${exported('redis_memory_used_bytes')} / (${exported('redis_memory_max_bytes')} > 0)`

/** The machine a zone runs on, its Redis, and its backups. */
export const HOST: Dashboard = {
  uid: 'countersign-host',
  title: 'Host',
  panels: [
    {
      title: 'Processor',
      description: 'Share of all cores at work, over five minutes.',
      ...{ kind: 'stat', width: 4, unit: 'percentunit', badAbove: 0.9, queries: [[busy, '{{zone}}']] },
    },
    {
      title: 'Memory',
      description: 'Share that nothing more can have. Above nine tenths the machine begins to end programs.',
      ...{ kind: 'stat', width: 4, unit: 'percentunit', badAbove: 0.9, queries: [[MEMORY_USED, '{{zone}}']] },
    },
    {
      title: 'Ended for want of memory',
      description: 'Programs the machine ended, a container at its limit included, in the last 24 h.',
      ...{ kind: 'stat', width: 4, badAbove: 1 },
      queries: [[`increase(${exported('node_vmstat_oom_kill')}[1d])`, '{{zone}}']],
    },
    {
      title: 'Redis: of its memory',
      description: 'It holds doorbells only. When it is full it refuses new ones, and work is late.',
      ...{ kind: 'stat', width: 4, unit: 'percentunit', badAbove: 0.8, queries: [[REDIS_FULL, '{{zone}}']] },
    },
    {
      title: 'Redis: keys thrown out',
      description: 'For want of memory, ever since it started. Anything but 0: it runs with other settings than ours.',
      ...{ kind: 'stat', width: 4, badAbove: 1, queries: [[exported('redis_evicted_keys_total'), '{{zone}}']] },
    },
    {
      title: 'Exporters',
      description: '1: Prometheus reaches what tells it of the machine and of Redis.',
      ...{ kind: 'stat', width: 4, goodAbove: 1, queries: [[EXPORTERS_UP, '{{service}}']] },
    },
    {
      title: 'Processor over time',
      description:
        'Share of all cores: at work, waiting for disks, and what a virtual machine asked for and did not get.',
      ...{ kind: 'timeseries', width: 12, unit: 'percentunit', queries: [[busy, '{{zone}} at work'], ...WAITING] },
    },
    {
      title: 'Load',
      description:
        'Programs that run or wait to run, over a minute. Above the number of cores they wait for each other.',
      ...{ kind: 'timeseries', width: 12, queries: [[exported('node_load1'), '{{zone}}']] },
    },
    {
      title: 'Memory over time',
      description: 'What there is, and what is to be had.',
      ...{ kind: 'timeseries', width: 12, unit: 'bytes' },
      queries: [
        [exported('node_memory_MemTotal_bytes'), '{{zone}} there is'],
        [exported('node_memory_MemAvailable_bytes'), '{{zone}} to be had'],
      ],
    },
    {
      title: 'Room on the disks',
      description: 'How full the disks are that the zone keeps vault and state on.',
      ...{ kind: 'timeseries', width: 12, unit: 'percentunit' },
      queries: [[metric('countersign_disk_used_ratio'), '{{zone}} {{of}}']],
    },
    {
      title: 'Disks',
      description: 'Read and written in a second.',
      ...{ kind: 'timeseries', width: 8, unit: 'bytes' },
      queries: [
        [rate(exported('node_disk_read_bytes_total')), '{{device}} read'],
        [rate(exported('node_disk_written_bytes_total')), '{{device}} written'],
      ],
    },
    {
      title: 'Disks at work',
      description:
        'Share of time. A disk that is always at work makes everything late: each approval is written down first.',
      ...{ kind: 'timeseries', width: 8, unit: 'percentunit' },
      queries: [[rate(exported('node_disk_io_time_seconds_total')), '{{device}}']],
    },
    {
      title: 'Network',
      description: 'In and out in a second, of the machine itself; what containers say to each other is left out.',
      ...{ kind: 'timeseries', width: 8, unit: 'bytes' },
      queries: [
        [rate(exported('node_network_receive_bytes_total')), '{{device}} in'],
        [rate(exported('node_network_transmit_bytes_total')), '{{device}} out'],
      ],
    },
    {
      title: 'Redis: memory',
      description: 'Used, and the most it may use.',
      ...{ kind: 'timeseries', width: 8, unit: 'bytes' },
      queries: [
        [exported('redis_memory_used_bytes'), '{{zone}} used'],
        [exported('redis_memory_max_bytes'), '{{zone}} at most'],
      ],
    },
    {
      title: 'Redis: who is connected',
      description: 'A few connections for each service. Refused ones, in the hour before, should not be.',
      ...{ kind: 'timeseries', width: 8 },
      queries: [
        [exported('redis_connected_clients'), '{{zone}} connected'],
        [`increase(${exported('redis_rejected_connections_total')}[1h])`, '{{zone}} refused'],
      ],
    },
    {
      title: 'Redis: commands',
      description: 'In a second.',
      ...{ kind: 'timeseries', width: 8 },
      queries: [[rate(exported('redis_commands_processed_total')), '{{zone}}']],
    },
    ...BACKUP_PANELS,
  ],
}
