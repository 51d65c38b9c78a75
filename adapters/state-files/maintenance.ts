import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type MaintenanceReport,
  type MaintenanceRequest,
  parseMaintenanceReport,
  parseMaintenanceRequest,
} from '#core/maintenance.ts'
import { writeStateFile } from './state-files.ts'

const REQUEST = 'maintenance-request.json'
const REPORT = 'maintenance-report.json'

/** Asks the zone's sync; a request that it has not taken up is replaced. */
export function askMaintenance(stateDir: string, request: MaintenanceRequest): Promise<void> {
  return writeStateFile(stateDir, REQUEST, JSON.stringify(request))
}

/** What is asked, undefined when nothing is. It stays until it was answered. */
export async function askedMaintenance(stateDir: string): Promise<MaintenanceRequest | undefined> {
  return parseMaintenanceRequest(await readFile(join(stateDir, REQUEST), 'utf8').catch(() => ''))
}

/** The report first: whoever dies in between does it again. */
export async function answerMaintenance(stateDir: string, report: MaintenanceReport): Promise<void> {
  await writeStateFile(stateDir, REPORT, JSON.stringify(report))
  await rm(join(stateDir, REQUEST), { force: true })
}

export async function maintenanceReport(stateDir: string): Promise<MaintenanceReport | undefined> {
  return parseMaintenanceReport(await readFile(join(stateDir, REPORT), 'utf8').catch(() => ''))
}
