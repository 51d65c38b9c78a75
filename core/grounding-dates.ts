/** A part of a text that names a day, a month or a time of day. */
export interface Moment {
  readonly kind: 'date' | 'time'
  readonly written: string
  readonly at: number
  /** By which it is found: those of one that says less (no year, a weekday) are those of many days. */
  readonly offers: readonly string[]
  /** One of these, offered elsewhere, is the same moment. */
  readonly asks: readonly string[]
}

const DAY_MS = 86_400_000
const MONTH_NAMES: readonly string[] = [
  'january jan januar jänner janvier janv enero ene gennaio janeiro januari',
  'february feb februar feber février févr febrero febbraio fevereiro fev februari',
  'march mar märz mrz mars marzo março maart mrt',
  'april apr avril avr abril abr aprile',
  'may mai mayo maggio maio mei',
  'june jun juni juin junio giugno junho',
  'july jul juli juillet juil julio luglio julho',
  'august aug août agosto augustus',
  'september sep sept septembre septiembre settembre setembro',
  'october oct oktober okt octobre octubre ottobre outubro',
  'november nov novembre noviembre novembro',
  'december dec dezember dez décembre déc diciembre dic dicembre dezembro',
]
const WEEKDAY_NAMES: readonly string[] = [
  'sunday sonntag sonntags dimanche domingo domenica zondag',
  'monday montag montags lundi lunes lunedì maandag segunda-feira',
  'tuesday dienstag dienstags mardi martes martedì dinsdag terça-feira',
  'wednesday mittwoch mittwochs mercredi miércoles mercoledì woensdag quarta-feira',
  'thursday donnerstag donnerstags jeudi jueves giovedì donderdag quinta-feira',
  'friday freitag freitags vendredi viernes venerdì vrijdag sexta-feira',
  'saturday samstag samstags sonnabend samedi sábado sabato zaterdag',
]
const MONTHS = numbered(MONTH_NAMES, 1)
const WEEKDAYS = numbered(WEEKDAY_NAMES, 0)
/** Days from today. `morgen` in small letters only: with a capital it greets. */
const RELATIVE: Readonly<Record<string, number>> = {
  ...{ today: 0, heute: 0, "aujourd'hui": 0, hoy: 0, oggi: 0, vandaag: 0, hoje: 0 },
  ...{ tomorrow: 1, morgen: 1, demain: 1, mañana: 1, domani: 1, amanhã: 1 },
  ...{ übermorgen: 2, yesterday: -1, gestern: -1 },
}
const MONTH = wordsOf(MONTHS)
/** What a bare name of a month has to follow: many of them are words or names as well. */
const BEFORE_MONTH =
  'in|by|of|for|until|since|from|im|bis|ab|für|vom|seit|ende|anfang|mitte|en|de|fin|pour|d|di|per|entro|a|voor|em|até|para'
const AFTER_LETTER = '(?<![\\p{L}\\p{N}])'
const BEFORE_LETTER = '(?![\\p{L}\\p{N}])'

type Reader = (groups: Record<string, string | undefined>, today: number | undefined) => string[][] | undefined
/** Each gives the readings of one form; those that come first take the letters. */
const FORMS: readonly (readonly [RegExp, 'date' | 'time', Reader])[] = [
  [/(?<![\d.-])(?<y>\d{4})-(?<m>\d{1,2})-(?<d>\d{1,2})(?![\d-])/gu, 'date', ({ y, m, d }) => day(y, m, d)],
  [/(?<y>\d{4})年(?<m>\d{1,2})月(?<d>\d{1,2})日/gu, 'date', ({ y, m, d }) => day(y, m, d)],
  [
    new RegExp(
      `(?<![\\d.,])(?<d>\\d{1,2})(?:st|nd|rd|th|er|\\.|º|°)?\\s{0,2}(?:of |de )?(?<m>${MONTH})${BEFORE_LETTER}\\.?(?:,?\\s{0,2}(?:de |del )?(?<y>\\d{4})(?!\\d))?`,
      'giu',
    ),
    'date',
    ({ y, m, d }) => day(y, String(MONTHS.get(m?.toLowerCase() ?? '')), d),
  ],
  [
    new RegExp(
      `${AFTER_LETTER}(?<m>${MONTH})${BEFORE_LETTER}\\.?\\s{1,2}(?<d>\\d{1,2})(?:st|nd|rd|th)?(?![\\p{L}\\d%€$£]|[:.,]\\d)(?:,?\\s{1,2}(?<y>\\d{4})(?!\\d))?`,
      'giu',
    ),
    'date',
    // In small letters it may be a verb: “you may 3 times”.
    ({ y, m = '', d }) => (/^\p{Lu}/u.test(m) ? day(y, String(MONTHS.get(m.toLowerCase())), d) : undefined),
  ],
  [
    /(?<![\d.,])(?<d>\d{1,2})\.\s?(?<m>\d{1,2})\.(?:\s?(?<y>20\d{2}|\d{2}(?![\d:])))?(?![\d,])/gu,
    'date',
    ({ y, m, d }) => day(y, m, d),
  ],
  [
    /(?<![\d./-])(?<a>\d{1,2})(?<sep>[/-])(?<b>\d{1,2})\k<sep>(?<y>\d{4}|\d{2})(?![\d/-])/gu,
    'date',
    // The day or the month first: either may be meant.
    ({ a, b, y }) => either(day(y, b, a), day(y, a, b)),
  ],
  [
    /(?<![\d:.,])(?<h>[01]?\d|2[0-3])(?:[:h]|\.(?=[0-5]\d[ ]?(?:uhr|[ap]\.?m)))(?<min>[0-5]\d)(?<sec>:[0-5]\d)?(?:[ ]?(?<half>[ap]\.?m\.?|uhr)(?![\p{L}]))?(?![\d:]|[.,]\d)/giu,
    'time',
    ({ h, min, half }) => clock(h, min, half),
  ],
  [/(?<![\d:.,])(?<h>1?\d)[ ]?(?<half>[ap]\.?m\.?)(?![\p{L}\d])/giu, 'time', ({ h, half }) => clock(h, '00', half)],
  [
    /(?<![\d:.,])(?<h>[01]?\d|2[0-4])(?:[ ]uhr|[ ]?h(?:eures?)?|[ ]o[’']clock)(?![\p{L}\d])/giu,
    'time',
    ({ h }) => clock(h, '00', undefined),
  ],
  [
    new RegExp(`${AFTER_LETTER}(?<w>${wordsOf(WEEKDAYS)})${BEFORE_LETTER}`, 'giu'),
    'date',
    ({ w }, today) => weekday(WEEKDAYS.get(w?.toLowerCase() ?? '') ?? 0, today),
  ],
  [
    new RegExp(`${AFTER_LETTER}(?<r>${wordsOf(new Map(Object.entries(RELATIVE)))})${BEFORE_LETTER}`, 'gu'),
    'date',
    ({ r }, today) => {
      const days = RELATIVE[r ?? ''] ?? 0
      return spoken(`r${days}`, today === undefined ? [] : [today + days])
    },
  ],
  [
    new RegExp(
      `(?<=${AFTER_LETTER}(?:${BEFORE_MONTH})[ ’'])(?<m>${MONTH})${BEFORE_LETTER}(?:[ ]{1,2}(?<y>20\\d{2})(?!\\d))?`,
      'giu',
    ),
    'date',
    ({ m }) => {
      const key = `m${MONTHS.get(m?.toLowerCase() ?? '')}`
      return [[key], [key]]
    },
  ],
]

/**
 * Every day, weekday, month and time of a line, in seven languages. `today` is the day (`dayNumber`) that “tomorrow” and
 * “Friday” are counted from; without it they are only found as the same words.
 */
export function momentsIn(line: string, today: number | undefined): Moment[] {
  const found: Moment[] = []
  let rest = line
  for (const [form, kind, read] of FORMS) {
    rest = rest.replace(form, (...match) => {
      const groups = match.at(-1) as Record<string, string | undefined>
      const whole = match[0] as string
      const [offers, asks] = read(groups, today) ?? []
      if (!offers?.length || !asks) return whole
      const written = whole.replace(/(?<=\p{L})\.$/u, '')
      found.push({ kind, written, at: match.at(-3) as number, offers, asks })
      return ' '.repeat(written.length) + whole.slice(written.length)
    })
  }
  return found.sort((a, b) => a.at - b.at)
}

/** Days since 1970, of an ISO day or time; undefined when it is none. */
export function dayNumber(iso: string): number | undefined {
  const ms = Date.parse(iso.slice(0, 10))
  return Number.isNaN(ms) ? undefined : Math.floor(ms / DAY_MS)
}

function day(y: string | undefined, m: string | undefined, d: string | undefined): string[][] | undefined {
  const [month, date] = [Number(m), Number(d)]
  if (!(month >= 1 && month <= 12 && date >= 1 && date <= 31)) return undefined
  const short = `${month}-${date}`
  if (y === undefined) return [[`n${short}`, `a${short}`, `m${month}`], [`a${short}`]]
  const year = y.length === 2 ? 2000 + Number(y) : Number(y)
  return [
    [`f${year}-${short}`, `a${short}`, `m${month}`, `#${year}`],
    [`f${year}-${short}`, `n${short}`],
  ]
}

function either(one: string[][] | undefined, other: string[][] | undefined): string[][] | undefined {
  return one && other ? one.map((keys, index) => [...new Set([...keys, ...(other[index] ?? [])])]) : (one ?? other)
}

function dayOf(number: number): string[][] {
  const iso = new Date(number * DAY_MS).toISOString()
  return day(iso.slice(0, 4), iso.slice(5, 7), iso.slice(8, 10)) ?? []
}

/** “Friday” may be today, the next one, or the one after it (“next Friday”). */
function weekday(wanted: number, today: number | undefined): string[][] {
  const word = `w${wanted}`
  if (today === undefined) return [[word], [word]]
  const ahead = (wanted - new Date(today * DAY_MS).getUTCDay() + 7) % 7
  return spoken(word, [today + ahead, today + ahead + 7])
}

/** A word that means one of these days. */
function spoken(word: string, days: readonly number[]): string[][] {
  const meant = days.map(dayOf)
  const isDay = (key: string) => /^[fa]/.test(key)
  return [
    [word, ...meant.flatMap(([offers = []]) => offers.filter(isDay))],
    [word, ...meant.flatMap(([, asks = []]) => asks)],
  ]
}

/** Without am or pm, three o'clock may be either. */
function clock(h: string | undefined, min: string | undefined, half: string | undefined): string[][] {
  const hour = Number(h)
  const minute = Number(min)
  const isHalf = half !== undefined && /^[ap]/i.test(half)
  const hours = isHalf
    ? [(hour % 12) + (/^p/i.test(half) ? 12 : 0)]
    : hour < 12 && half === undefined
      ? [hour, hour + 12]
      : [hour]
  const keys = hours.map((one) => `t${one * 60 + minute}`)
  return [keys, keys]
}

function numbered(names: readonly string[], first: number): Map<string, number> {
  return new Map(names.flatMap((all, index) => all.split(' ').map((name) => [name, index + first] as const)))
}

function wordsOf(names: ReadonlyMap<string, number>): string {
  return [...names.keys()].sort((a, b) => b.length - a.length).join('|')
}
