/** A run of capitalised words that names somebody or something. */
export interface Name {
  readonly written: string
  readonly words: readonly string[]
}

const WORD = /[\p{L}\p{M}\p{N}]+/gu
const RUN =
  /(?<![\p{L}\p{M}\p{N}@.’'-])\p{Lu}[\p{L}\p{M}\p{N}’'.&-]{0,40}(?: (?:(?:van|von|de|la|der|den|di|da|du|le|zu|y|&) )?\p{Lu}[\p{L}\p{M}\p{N}’'.&-]{0,40}){0,5}/gu
const SENTENCE_START = /(?:^|[.!?:;…•*>|("„“”«‘–—-])\s*$/u
const GERMAN =
  /(?<!\p{L})(?:der|die|das|und|ist|nicht|wir|sie|ihre?[nmrs]?|für|mit|bitte|vielen|eine?[nmrs]?)(?!\p{L})/giu
const NOT_GERMAN =
  /(?<!\p{L})(?:the|and|is|you|your|for|with|please|les?|vous|votre|el|los|su|il|per|het|een|para)(?!\p{L})/giu
/** What stands before a name, also where every noun has a capital. */
const TITLES = new Set(
  'herr herrn frau firma dr prof familie liebe lieber hallo geehrte geehrter mr mrs ms dear hello hi monsieur madame bonjour señor señora estimado estimada hola signor signora gentile caro cara beste geachte prezado prezada'.split(
    ' ',
  ),
)
/** The form of a company, at the end of its name. */
const COMPANY = /\s(?:GmbH|AG|KG|OHG|UG|SE|eG|GbR|Ltd\.?|Inc\.?|LLC|S\.A\.|SARL|S\.r\.l\.|B\.V\.)$/u
const STEM_CHARS = 5
const NO_NAMES = new Set(
  (
    "i i’m i’ll i’ve i’d i'm i'll i've i'd mr mrs ms dr prof herr herrn frau monsieur madame m mme señor señora sr sra signor signora sir madam dear hello hi good morning afternoon evening " +
    'thank thanks many best kind warm regards sincerely yours faithfully cheers cordialement bonjour saludos cordiali saluti groeten atentamente ' +
    're fw fwd aw ps nb ok faq vat pdf iban bic swift url www http https e-mail email mail internet web id utc gmt cet cest eur usd gbp chf asap tba etc ' +
    'suo sua suoi sue le la państwa państwo państwu pan pani pana panu panią o senhor senhora vossa ' +
    'english german french spanish italian dutch portuguese europe european sie ihr ihre ihren ihrem ihrer ihnen du dein vous votre usted ustedes lei loro u uw'
  ).split(' '),
)
const STOP_STEMS = new Set(
  'will shall with your from that this have been would could about there their they them when what which then than also after before into over upon only more most some such very just like well soon please thank thanks hello dear kind regar message werde wir ihnen ihrer ihren sehr gern gerne damit dass eine einen einer nach auch noch oder aber vous votre nous avec pour dans sont cette para como esta este nuest vuest della delle sono anche voor zijn deze heeft hebbe'
    .split(' ')
    .map((word) => word.slice(0, STEM_CHARS)),
)

/** Small letters, in the order of the text. */
export function wordsOf(line: string): string[] {
  return line.toLowerCase().match(WORD) ?? []
}

/** What is left of a line's telling words once their endings are gone, each once. */
export function stemsOf(line: string): string[] {
  const long = wordsOf(line).filter((word) => word.length >= 4 && !/^\d/.test(word))
  return [...new Set(long.map((word) => word.slice(0, STEM_CHARS)))].filter((stem) => !STOP_STEMS.has(stem))
}

/** German writes every noun with a capital: there only a title or a company's form makes a name. */
export function isGerman(text: string): boolean {
  const beginning = text.slice(0, 20_000)
  return (beginning.match(GERMAN)?.length ?? 0) > (beginning.match(NOT_GERMAN)?.length ?? 0)
}

/** Capitalised words of a line that begin no sentence. Few rather than wrong: a name that is missed is flagged nowhere. */
export function namesIn(line: string, isGermanText: boolean): Name[] {
  return [...line.matchAll(RUN)].flatMap(runsOf).flatMap(({ run, index }) => {
    const all = run.split(' ')
    const title = all.findLastIndex((word) => TITLES.has(word.toLowerCase().replace(/[.,]$/, '')))
    const isCompany = COMPANY.test(run)
    if (isGermanText && title < 0 && !isCompany) return []
    const isStart = title < 0 && !isCompany && SENTENCE_START.test(line.slice(Math.max(0, index - 20), index))
    const kept = all
      .slice(isStart ? 1 : title + 1)
      .map((word) => word.replace(/[’']s?$|[.&-]+$/u, ''))
      .filter((word) => word.length > 1 && !NO_NAMES.has(word.toLowerCase()))
    const words = kept.flatMap(wordsOf).filter((word) => word.length > 1)
    return words.some((word) => /\p{L}/u.test(word)) ? [{ written: kept.join(' '), words }] : []
  })
}

/** A point ends a sentence, and with it a name, unless it only shortens a word. */
function runsOf({ 0: whole, index }: RegExpExecArray): { run: string; index: number }[] {
  const runs: { run: string; index: number }[] = []
  let at = index
  for (const word of whole.split(' ')) {
    const last = runs.at(-1)
    if (last && !/(?<![\p{L}\p{N}])(?!(?:mr|mrs|ms|dr|prof|st|hr|fr|\p{L})\.$)[\p{L}\p{N}]+\.$/iu.test(last.run))
      last.run += ` ${word}`
    else runs.push({ run: word, index: at })
    at += word.length + 1
  }
  return runs
}

const PHONE = /\+?\d[\d ()/-]{5,30}\d/g
const ENUMERATION = /^[ \t>]*\d{1,2}[.)](?=\s)/u

/** Numbers of a line as they are written (`2026-0412`, `5%`, `+49 30 1234567`); single digits say nothing by themselves. */
export function numeralsIn(line: string): { written: string; at: number }[] {
  const rest = line.replace(ENUMERATION, (mark) => ' '.repeat(mark.length))
  const phones: { written: string; at: number }[] = []
  const others = rest.replace(PHONE, (written, at: number) => {
    if (!/[ ()/-]/.test(written) || digitsOf(written).length < 7) return written
    phones.push({ written, at })
    return ' '.repeat(written.length)
  })
  const runs = [...runsWithDigits(others)].map(({ written, at }) => {
    const lead = /^[^\p{L}\p{N}+]*/u.exec(written)?.[0].length ?? 0
    return { written: written.slice(lead).replace(/(?<![^\p{L}\p{N}%])[^\p{L}\p{N}%]+$/u, ''), at: at + lead }
  })
  return [...phones, ...runs].filter(({ written }) => signsOf(written).length > 1 || /\d ?%/.test(written))
}

function* runsWithDigits(line: string): Generator<{ written: string; at: number }> {
  for (const { 0: written, index } of line.matchAll(/[^\s<>|]+(?:[ \u00a0]%)?/gu))
    if (/\d/.test(written)) yield { written, at: index }
}

export function signsOf(text: string): string {
  return text.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '')
}

function digitsOf(text: string): string {
  return text.replace(/\D/g, '')
}
