import { METRICS } from '#runtime/metrics.ts'
import { RECORDS } from '../../grafana/source/promises.ts'
import { BUILT_IN, EXPORTED } from '../../grafana/source/promql.ts'

type Labels = Readonly<Record<string, readonly string[] | 'open'>>

const EVERYWHERE: Labels = { service: 'open', zone: ['cloud', 'local'], job: 'open' }
const WORDS = new Set(['and', 'or', 'unless', 'by', 'on', 'offset', 'le', 'bool', 'ignoring', 'without'])
const FUNCTIONS = new Set(
  'abs sum max min avg count rate increase changes time vector absent histogram_quantile max_over_time clamp_min'.split(
    ' ',
  ),
)

/** Every series this program has, with its labels and their values. */
const SERIES = new Map<string, Labels>([
  ...Object.entries(METRICS).flatMap(([name, { kind, labels }]): [string, Labels][] =>
    kind === 'histogram'
      ? [
          [
            `${name}_bucket`,
            { ...labels, le: METRICS[name as 'countersign_arrival_to_draft_seconds'].buckets.map(String) },
          ],
          [`${name}_count`, labels],
          [`${name}_sum`, labels],
        ]
      : [[name, labels]],
  ),
  ...RECORDS.map((name): [string, Labels] => [name, { promise: 'open' }]),
  ...Object.entries({ ...BUILT_IN, ...EXPORTED }).map(([name, labels]): [string, Labels] => [
    name,
    Object.fromEntries(labels.map((label) => [label, 'open'])),
  ]),
])

/** What an expression names that there is not: series, labels, label values, functions. */
export function unknownIn(expr: string): string[] {
  const unknown: string[] = []
  const named: Labels[] = []
  const bare = expr
    .replaceAll(/"[^"]*"/g, (text) => text.replaceAll(/[{}()]/g, '_'))
    .replaceAll(/([a-zA-Z_:][\w:]*)\{([^}]*)\}/g, (_all, name: string, matchers: string) => {
      unknown.push(...faultsOf(name, matchers))
      return name
    })
    .replaceAll(/\[\d+[smhd]\]|\boffset \d+[smhd]/g, ' ')
  const grouped: string[] = []
  const rest = bare.replaceAll(/\b(by|on) \(([^)]*)\)/g, (_all, _word, labels: string) => {
    grouped.push(...labels.split(', '))
    return ' '
  })
  for (const [, name = '', call] of rest.matchAll(/(?<![\w.])([a-zA-Z_:][\w:]*)\s*(\()?/g)) {
    if (WORDS.has(name)) continue
    if (call) {
      if (!FUNCTIONS.has(name)) unknown.push(`${name}()`)
      continue
    }
    const labels = SERIES.get(name)
    if (labels) named.push(labels)
    else unknown.push(name)
  }
  for (const label of grouped)
    if (!named.every((labels) => label in { ...EVERYWHERE, ...labels })) unknown.push(`by (${label})`)
  if (named.length === 0 && !/^vector\(/.test(expr)) unknown.push('no series at all')
  return unknown
}

function faultsOf(name: string, matchers: string): string[] {
  const labels: Labels = { ...EVERYWHERE, ...SERIES.get(name) }
  return matchers.split(/,(?=\w+[=!])/).flatMap((matcher) => {
    const [, label = '', operator = '', value = ''] = /^(\w+)(=~|!~|!=|=)"(.*)"$/.exec(matcher) ?? []
    const allowed = labels[label]
    if (allowed === undefined) return [`${name}{${matcher}}`]
    const values = operator.endsWith('~') ? value.split('|') : [value]
    const isKnown = (one: string) => (allowed === 'open' ? /^[a-z0-9.-]{1,40}$/.test(one) : allowed.includes(one))
    return values.every(isKnown) ? [] : [`${name}{${matcher}}`]
  })
}
