/** Short words that a text of the language can hardly do without, and few other languages have. */
const SMALL_WORDS: Readonly<Record<string, string>> = {
  en: 'the and you for your with this that have are please would could from our we is it be not what when will can thank thanks regards hello hi me my i of to if there know let',
  de: 'der die das und ich sie wir ist nicht mit für auf ein eine einen von zu im den dem des bitte können könnten ihnen uns ihre ihr haben wird auch noch bei oder wenn danke grüße freundlichen hallo sehr geehrte mir mich es als wie bis zum zur',
  fr: 'le la les des une est et vous nous je pour dans sur avec que qui pas votre vos notre merci bonjour cordialement au aux du ce cette mais ou plus avez être bien pouvez pourriez suis sont il elle mon ma si par',
  es: 'el los las una es y usted para con que por del su sus nuestro gracias hola saludos no se lo le como pero más está están puede podría favor me mi si al este esta son hay ya muy qué cuando',
  it: 'il lo gli una è e per con che di non del della dei delle nel nella mi ci si sono ho grazie buongiorno saluti cordiali come ma anche più può potrebbe vi vostro nostra nostro questa questo se alla al da sua',
  pt: 'os uma é para com que por do da dos das não se em no na ao você seu sua obrigado obrigada olá cumprimentos mas mais está são pode poderia nosso nossa este esta também já muito bom dia favor à',
  nl: 'de het een en van ik je u wij we is niet met voor op aan te dat die dit zijn heb hebben kunt kunnen graag bedankt dank groet groeten vriendelijke onze uw ons maar ook nog als naar bij of er wordt geachte beste om',
  pl: 'i w na z do nie się jest to że od dla o po za proszę dziękuję dzień dobry pozdrawiam państwo państwa czy jak ale lub przez które który będzie mogę można nasz nasza oraz już tylko mam pan pani są',
  sv: 'och att det är jag en ett som på för med av inte vi ni till den har kan om hej tack hälsningar vänliga er vår våra men så från eller när skulle ska kunna oss mig detta',
  da: 'og at det er jeg en et som på for med af ikke vi til den har kan om hej tak hilsen venlig jeres vores men så fra eller når skulle vil kunne os mig dette du hvad også dig være',
  nb: 'og at det er jeg en et som på for med av ikke vi til den har kan om hei takk hilsen vennlig deres vår våre men så fra eller når skulle vil kunne oss meg dette du hva også deg være',
  fi: 'ja on ei että se hän minä olen me te ovat kun niin mutta myös tai jos voi voitte kiitos hei terveisin ystävällisin tämä mitä miten kanssa ole teille meille sekä jotta olisi',
  cs: 'a je se na v že to do s z o pro jsem jsme jste není ale také nebo jak když prosím děkuji dobrý den pozdravem vás vám nás nám bude byl by který která již ještě pokud',
  ro: 'și este nu în la cu pentru de pe un o că să se mai am avem aveți vă rog mulțumesc bună ziua stimate noi dumneavoastră sau dacă dar din ca fi care îmi putea',
  hu: 'és az egy nem hogy is van vagy de kérem köszönöm üdvözlettel tisztelt mi meg már csak ez azt nekem önök kell lesz ha mint még szeretném',
  tr: 've bir bu için ile de da mi ne çok var yok ama olarak lütfen merhaba teşekkürler teşekkür ederim saygılarımla bize size olan kadar sonra daha bana eğer gibi',
}
const LANGUAGES = Object.entries(SMALL_WORDS).map(([language, words]) => ({
  language,
  words: new Set(words.split(' ')),
}))

/** Letters that one language alone is written in, or nearly so; the first that holds is it. */
const SCRIPTS: readonly (readonly [string, RegExp])[] = [
  ['ja', /[\p{Script=Hiragana}\p{Script=Katakana}]/gu],
  ['ko', /\p{Script=Hangul}/gu],
  ['zh', /\p{Script=Han}/gu],
  ['el', /\p{Script=Greek}/gu],
  ['he', /\p{Script=Hebrew}/gu],
  ['th', /\p{Script=Thai}/gu],
  ['hi', /\p{Script=Devanagari}/gu],
  ['fa', /[پچژگ]/g],
  ['ar', /\p{Script=Arabic}/gu],
  ['uk', /[іїєґ]/gi],
  ['ru', /[ыэё]/gi],
  ['bg', /ъ/gi],
]
/** How much of the letters makes a text one of the script; few of the letters of one language alone do. */
const SCRIPT_SHARE: Readonly<Record<string, number>> = { ja: 0.1, fa: 0.01, uk: 0.02, ru: 0.01, bg: 0.005 }
const MOST = 0.4
const CYRILLIC = new Set(['uk', 'ru', 'bg'])

const MAX_CHARS = 20_000
const MIN_HITS = 3
const MIN_SHARE = 0.12
/** How much clearer than the next language. */
const MIN_LEAD = 1.25
const MIN_LETTERS = 12

/**
 * The language of a text (BCP 47), told by its letters and its small words; undefined below some confidence, as for a
 * line or two of names and numbers. Lines that quote (`>`), addresses and links do not count. Never throws.
 */
export function recognizeLanguage(text: string): string | undefined {
  const own = text
    .slice(0, MAX_CHARS)
    .normalize('NFC')
    .replace(/^>.*$/gm, ' ')
    .replace(/\S+/g, (word) => (/@|:\/\//.test(word) ? ' ' : word))
  const letters = own.match(/\p{L}/gu)?.length ?? 0
  if (letters < MIN_LETTERS) return undefined
  return byScript(own, letters) ?? bySmallWords(own)
}

function byScript(text: string, letters: number): string | undefined {
  const share = (pattern: RegExp) => (text.match(pattern)?.length ?? 0) / letters
  const isCyrillic = share(/\p{Script=Cyrillic}/gu) >= MOST
  return SCRIPTS.find(([language, pattern]) => {
    if (CYRILLIC.has(language) && !isCyrillic) return false
    return share(pattern) >= (SCRIPT_SHARE[language] ?? MOST)
  })?.[0]
}

function bySmallWords(text: string): string | undefined {
  const words = text.toLowerCase().match(/\p{L}+/gu) ?? []
  const scored = LANGUAGES.map(({ language, words: small }) => ({
    language,
    hits: words.filter((word) => small.has(word)).length,
  })).sort((a, b) => b.hits - a.hits)
  const [best, next] = scored
  if (!best || best.hits < MIN_HITS || best.hits / words.length < MIN_SHARE) return undefined
  return best.hits >= (next?.hits ?? 0) * MIN_LEAD ? best.language : undefined
}
