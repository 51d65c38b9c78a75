import { isFresh, isQuiet, parseStatus, saySilent, silentAgents } from './status.ts'

/** What the zone's health service last told, as the dashboard and `countersign status` show it. */
export interface ZoneNews {
  /** One sentence each. */
  readonly problems: readonly string[]
  /** When each other agent was last heard of, ISO 8601 UTC; null: never; `now`: whenever the hub was asked of late. */
  readonly signs: readonly { readonly agent: string; readonly at: string | null }[]
  /** Agents that say nothing although the hub answers; `key` is the same for the same silence. */
  readonly silent: readonly { readonly key: string; readonly say: string }[]
  readonly services: readonly { readonly name: string; readonly state: 'ready' | 'not ready' | 'silent' }[]
  /** What sync says of itself; undefined before its first word. `reachedAt`: the hub's last answer, told while it gives none. */
  readonly sync: { readonly state: string; readonly reachedAt: string | undefined } | undefined
  /** What the gate refused to take from the hub. `key` is the same for the same refusal. */
  readonly quarantine: { readonly key: string; readonly faults: readonly string[] } | undefined
}

/** The dashboard says these itself, and fresher. */
const TOLD_ELSEWHERE = /^executor |^HALT\.md |conflict copies|^sync: hub refused by the gate/
const MAX_FAULTS = 3
const NO_NEWS: ZoneNews = { problems: [], signs: [], silent: [], services: [], sync: undefined, quarantine: undefined }

/** `text`: of status.json, '' when there is none. Of its problems only what it told of late. */
export function zoneNews(text: string, nowMs: number): ZoneNews {
  const status = parseStatus(text)
  if (!status) return NO_NEWS
  const { sync } = status
  const known = {
    signs: (sync?.others ?? []).map(({ agent, at }) => ({
      agent,
      at: at !== null && sync?.state === 'ok' && isFresh(status, nowMs) && !isQuiet(at, sync) ? 'now' : at,
    })),
    silent: silentAgents(sync).map((sign) => ({ key: `${sign.agent} ${sign.at}`, say: saySilent(sign) })),
    quarantine: sync?.quarantine
      ? {
          key: sync.quarantine.head ?? sync.quarantine.faults.join(),
          faults: sync.quarantine.faults.slice(0, MAX_FAULTS),
        }
      : undefined,
  }
  if (!isFresh(status, nowMs))
    return { ...NO_NEWS, ...known, problems: [`the health service has been silent since ${status.at.slice(0, 16)}Z`] }
  return {
    ...known,
    problems: status.problems.filter((problem) => !TOLD_ELSEWHERE.test(problem)),
    services: status.services.map(({ name, live, ready }) => ({
      name,
      state: live ? (ready ? 'ready' : 'not ready') : 'silent',
    })),
    sync: sync
      ? { state: sync.state, reachedAt: sync.state === 'ok' ? undefined : (sync.hubReachedAt ?? undefined) }
      : undefined,
  }
}
