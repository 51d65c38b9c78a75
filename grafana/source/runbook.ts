import { ALERTS } from './alerts.ts'
import type { Dashboard } from './panels.ts'

/** The sections of docs/runbook.md, by alert. */
export function sectionsOf(runbook: string): Map<string, string> {
  const parts = runbook.split(/^## /m).slice(1)
  return new Map(
    parts.map((part) => {
      const end = part.indexOf('\n')
      return [part.slice(0, end).trim(), part.slice(end + 1).trim()]
    }),
  )
}

/** The runbook where an alert's link leads: in Grafana itself, which has no way to the documents. */
export function runbookDashboard(runbook: string): Dashboard {
  const sections = sectionsOf(runbook)
  return {
    uid: 'countersign-runbook',
    title: 'Runbook',
    panels: ALERTS.map(({ name, summary }) => ({
      title: name,
      description: summary.replaceAll(/\{\{.*?\}\}/g, '…'),
      kind: 'text',
      width: 12,
      text: sections.get(name) ?? '',
    })),
  }
}
