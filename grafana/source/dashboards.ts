import { EXECUTIONS, FLOW, OVERVIEW } from './dashboards-flow.ts'
import { HOST } from './dashboards-host.ts'
import { MODEL } from './dashboards-model.ts'
import { COMPONENTS, QUEUES } from './dashboards-services.ts'
import { SYNC } from './dashboards-sync.ts'
import type { Dashboard } from './panels.ts'

export const DASHBOARDS: readonly Dashboard[] = [OVERVIEW, FLOW, EXECUTIONS, SYNC, QUEUES, MODEL, COMPONENTS, HOST]
