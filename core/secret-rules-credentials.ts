import { type SecretRule, varies } from './secret-rule.ts'

/** `://`, also as `core/quote.ts` writes it. */
const SCHEME_END = '(?::|\\[:\\])//'
/** What stands between a name and its value. */
const SET_TO = '["\'\\]]{0,2}[ \\t]{0,3}(?:=>|:=|=|:)[ \\t]{0,3}["\'\\[]{0,2}'
const PASSWORD_WORDS = [
  'password',
  'passwort',
  'passwd',
  'passphrase',
  'passcode',
  'kennwort',
  'mot de passe',
  'contraseña',
  'contrasena',
  'senha',
  'wachtwoord',
  'hasło',
  'haslo',
  'пароль',
  'lösenord',
  'adgangskode',
  'passord',
  'salasana',
  'jelszó',
  'heslo',
  'şifre',
  'parola',
  '密码',
  '密碼',
  'パスワード',
  '비밀번호',
]
const CARD_WORDS =
  /visa|master ?card|amex|american express|maestro|\bcard\b|card ?(?:no|num|#)|kreditkarte|kartennummer|carte|tarjeta|carta|cart[ãa]o|kaart|karta|карт/i

/** Secrets known by what stands around them. */
export const CREDENTIAL_RULES: readonly SecretRule[] = [
  {
    name: 'url-credentials',
    kind: 'block',
    triggers: ['//'],
    pattern: new RegExp(
      `(?<![A-Za-z0-9])[A-Za-z][A-Za-z0-9+.-]{1,20}${SCHEME_END}[^\\s/?#@:"'<>]{0,80}:(?<secret>[^\\s/?#@"'<>]{3,160})@[A-Za-z0-9.[-]{1,120}`,
      'dg',
    ),
    accept: ({ groups }) => isNoPlaceholder(groups?.secret ?? ''),
  },
  {
    name: 'url-credentials',
    kind: 'block',
    triggers: ['x-oauth-basic', 'x-access-token'],
    pattern: new RegExp(`${SCHEME_END}(?<secret>[\\w-]{16,255}):x-oauth-basic@`, 'dg'),
  },
  {
    name: 'authorization-header',
    kind: 'block',
    triggers: ['authorization', 'x-api-key', 'x-auth-token', 'private-token', 'bearer'],
    pattern:
      /(?:authorization["']?\s{0,3}[:=]\s{0,3}["']?(?:basic|bearer|token|apikey|digest)|bearer|(?:x-api-key|x-auth-token|private-token)["']?\s{0,3}[:=])\s{0,3}["']?(?<secret>[\w+/=.~-]{16,4000})/dgi,
    accept: ({ groups }) => looksRandom(groups?.secret ?? ''),
  },
  {
    name: 'session-cookie',
    kind: 'block',
    triggers: ['cookie', 'phpsessid', 'sessionid', 'connect.sid', 'jsessionid'],
    pattern:
      /(?:cookie["']?\s{0,3}:[^\n]{0,300}?|(?<![A-Za-z0-9]))(?:[\w.-]{0,30}(?:sess|sid|auth|token|login)[\w.-]{0,30})=(?<secret>[\w%+/.:-]{16,2000})/dgi,
    accept: ({ 0: all, groups }) =>
      /cookie|sessid|sessionid|connect\.sid/i.test(all) && looksRandom(groups?.secret ?? ''),
  },
  {
    name: 'session-state',
    kind: 'block',
    triggers: ['"cookies"', 'httponly', 'netscape http cookie'],
    pattern:
      /"cookies"\s{0,10}:\s{0,10}\[\s{0,20}\{|"httpOnly"\s{0,3}:\s{0,3}(?:true|false)|# Netscape HTTP Cookie File|#HttpOnly_[\w.-]{3,80}\t/dg,
  },
  {
    name: 'whatsapp-session',
    kind: 'block',
    triggers: ['noisekey', 'advsecretkey', 'wasecretbundle', 'watoken', 'signedidentitykey'],
    pattern: /"?(?:noiseKey|signedIdentityKey|advSecretKey|WASecretBundle|WAToken[12])"?\s{0,5}[:=]\s{0,5}["{\\]/dg,
  },
  {
    name: 'credential',
    kind: 'block',
    triggers: ['secret', 'token', 'key', 'pass', 'pwd', 'credential', 'session'],
    pattern: new RegExp(
      `(?:secret|token|pass(?:word|wd|phrase|code)|pwd|(?<![A-Za-z])pass|(?<![A-Za-z])[a-z]{1,12}_(?:session|pw)|(?:api|app|access|auth|account|encryption|private|secret|signing|service)[_.-]?key|credentials?)${SET_TO}(?<secret>[^\\s"'<>,;&|(){}]{8,400})`,
      'dgi',
    ),
    // What a link carries is for the rules of links.
    accept: (match, text) => isSecretValue(match.groups?.secret ?? '') && !isInQuery(match, text),
  },
  {
    name: 'password',
    kind: 'block',
    triggers: PASSWORD_WORDS,
    pattern: new RegExp(
      `(?:${PASSWORD_WORDS.join('|')})[^\\n]{0,24}?(?:[:=–-]|[ \\t](?:is|ist|lautet|sind|est|es|é|è|sarà|jest|är|er|on)(?=[ \\t]))\\s{1,3}["'“„«(]{0,2}(?<secret>[^\\s"'“”„«»<>()]{6,80})`,
      'dgi',
    ),
    accept: ({ groups }) => isPasswordLike(groups?.secret ?? ''),
  },
  {
    name: 'password',
    kind: 'block',
    triggers: ['pw', 'key', 'schlüssel'],
    pattern:
      /(?:(?<![a-z])(?:pw|pwd)|(?:network|wi-?fi|wpa2?|wlan)[- ]?(?:key|pass)|netzwerkschlüssel|wlan-?schlüssel)[ \t]{0,2}[:=]?[ \t]{1,3}["'“„«(]{0,2}(?<secret>[^\s"'“”„«»<>()]{6,80})/dgi,
    accept: ({ groups }) => isPasswordLike(groups?.secret ?? '') || /^\d{16,26}$/.test(groups?.secret ?? ''),
  },
  {
    name: 'command-line-password',
    kind: 'block',
    triggers: ['mysql', 'mariadb', 'curl', 'wget', 'sshpass', 'ldapsearch'],
    pattern:
      /(?:(?:mysql|mysqldump|mariadb)[^\n]{0,120}?[ \t]-p|(?:curl|wget)[^\n]{0,200}?[ \t](?:-u|--user|--password)[ =]{1,3}["']?(?:[^\s:"']{1,80}:)?|sshpass[ \t]{1,3}-p[ \t]{0,3}|ldapsearch[^\n]{0,120}?[ \t]-w[ \t]{0,3})["']?(?<secret>[^\s"']{6,160})/dg,
    accept: ({ groups }) => isPasswordLike(groups?.secret ?? '') || looksRandom(groups?.secret ?? ''),
  },
  {
    name: 'credential',
    kind: 'block',
    triggers: ['value'],
    // A setting in XML: the name in one attribute, the value in the next.
    pattern:
      /(?:pw|pwd|pass(?:word)?|secret|token|key)["'][^\n<>]{0,20}?value["']?\s{0,3}[:=]\s{0,3}["'](?<secret>[^\s"'<>]{8,400})["']/dgi,
    accept: ({ groups }) => isSecretValue(groups?.secret ?? ''),
  },
  {
    name: 'password-hash',
    kind: 'block',
    triggers: ['$2', '$apr1$', '$6$', '$5$', '$argon2', '{ssha}', '{sha}'],
    pattern:
      /\$2[abxy]\$\d\d\$[./A-Za-z0-9]{53}|\$(?:apr1|1|5|6)\$[^\s$]{1,20}\$[./A-Za-z0-9]{22,90}|\$argon2(?:id?|d)\$[^\s]{20,200}|\{S?SHA\}[A-Za-z0-9+/=]{28,60}/dg,
  },
  {
    name: 'password-file',
    kind: 'block',
    triggers: ['machine', ':5432:', ':3306:'],
    pattern:
      /machine[ \t]{1,4}[\w.-]{1,80}\s{1,4}login[ \t]{1,4}\S{1,80}\s{1,4}password[ \t]{1,4}\S{4,80}|^[\w.*-]{1,80}:\d{2,5}:[\w*-]{1,64}:[\w.*-]{1,64}:\S{4,80}$/dgm,
  },
  {
    name: 'docker-auth',
    kind: 'block',
    triggers: ['"auth"'],
    pattern: /"auth"\s{0,3}:\s{0,3}"(?<secret>[A-Za-z0-9+/]{12,400}={0,2})"/dg,
  },
  {
    name: 'one-time-code-seed',
    kind: 'block',
    triggers: ['otpauth'],
    pattern: new RegExp(
      `otpauth(?:-migration)?${SCHEME_END}[^\\s]{1,300}?(?:secret|data)=(?<secret>[A-Za-z0-9%+/=]{8,400})`,
      'dgi',
    ),
  },
  {
    name: 'wifi-password',
    kind: 'block',
    triggers: ['wifi:'],
    pattern: /WIFI:(?:[A-Z]:[^;\n]{0,64};){0,4}P:(?<secret>[^;\n]{4,80});/dg,
  },
  {
    name: 'seed-phrase',
    kind: 'block',
    triggers: ['phrase', 'words', 'seed'],
    pattern:
      /(?:seed|recovery|backup|mnemonic|secret)[ \t]{1,3}(?:phrase|words|seed)[^a-z\n]{0,10}(?:is|are)?[^a-z]{1,10}(?<secret>(?:[a-z]{3,8}[ \t\r\n,]{1,4}){11,23}[a-z]{3,8})/dgi,
  },
  {
    name: 'azure-signature',
    kind: 'block',
    triggers: ['sig='],
    pattern: /[?&](?:sv|se|sp|sr)=[^\s]{1,300}?[?&]sig=(?<secret>[A-Za-z0-9%+/]{30,120})/dg,
  },
  {
    name: 'card-number',
    kind: 'block',
    triggers: ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'],
    pattern:
      /(?<![\d.,-])(?:[3-6]\d{3}|2[2-7]\d\d)(?:(?<gap>[ .-])\d{4}\k<gap>\d{4}\k<gap>\d{4}|[ -]\d{6}[ -]\d{5}|\d{9,12})(?!\d|[ -]\d{3})/dg,
    accept: (match, text) => passesLuhn(match[0]) && (/[ .-]/.test(match[0]) || isNearCardWord(match, text)),
  },
  {
    name: 'card-security-code',
    kind: 'block',
    triggers: ['cvv', 'cvc', 'security code', 'prüf', 'cryptogramme', 'seguridad'],
    pattern:
      /(?:\bcvv2?|\bcvc2?|card security code|kartenprüfnummer|kartenprüfziffer|cryptogramme|código de seguridad)\b[^\d\n]{0,12}(?<secret>\d{3,4})(?!\d)/dgi,
  },
]

/** A word for it before, or a month and a year after. */
function isNearCardWord({ 0: number, index }: RegExpExecArray, text: string): boolean {
  const end = index + number.length
  return (
    CARD_WORDS.test(text.slice(Math.max(0, index - 60), index)) ||
    /^[ \t,;]{1,4}(?:exp\S{0,6}[ \t]{0,2})?(?:0[1-9]|1[0-2])\/\d\d(?!\d)/i.test(text.slice(end, end + 24))
  )
}

function isInQuery({ index }: RegExpExecArray, text: string): boolean {
  return /[?&][\w.-]{0,40}$/.test(text.slice(Math.max(0, index - 41), index))
}

function passesLuhn(text: string): boolean {
  const digits = [...text.replace(/\D/g, '')].map(Number).reverse()
  const sum = digits.reduce((total, digit, index) => {
    const doubled = index % 2 === 1 ? digit * 2 : digit
    return total + (doubled > 9 ? doubled - 9 : doubled)
  }, 0)
  return digits.length >= 13 && sum % 10 === 0 && varies(text.replace(/\D/g, ''), 2)
}

/** `${PASSWORD}`, `<password>`, `***`, `%s` and the like stand for a value. */
function isNoPlaceholder(value: string): boolean {
  return !/^(?:[$%{[<].*|[x*.•_-]+|password|passwort|passwd|pass|secret|user|guest|changeme|token|x-oauth-basic)$/i.test(
    value,
  )
}

/** Letters and digits mixed, or both cases in no order; neither a path nor an address nor a word. */
function looksRandom(value: string): boolean {
  if (!isNoPlaceholder(value) || !varies(value, 8) || isAddressOrPath(value) || !/[A-Za-z]/.test(value)) return false
  return /\d/.test(value) || (value.match(/[a-z][A-Z]|[A-Z][a-z]/g)?.length ?? 0) * 5 >= value.length
}

function isSecretValue(value: string): boolean {
  if (!isNoPlaceholder(value) || isAddressOrPath(value)) return false
  if (value.length >= 16) return looksRandom(value)
  return isPasswordLike(value)
}

/** What a person or a generator would choose, rather than the next word of the sentence. */
function isPasswordLike(value: string): boolean {
  const bare = value.replace(/[.,;:!?…]+$/, '')
  if (bare.length < 6 || !isNoPlaceholder(bare) || isAddressOrPath(bare)) return false
  const kinds = [/\p{Ll}/u, /\p{Lu}/u, /\d/, /[^\p{L}\p{N}]/u].filter((kind) => kind.test(bare)).length
  const isDate = /^[\d.:/T+-]+Z?$/.test(bare)
  return !isDate && kinds >= 2 && /[\d\p{S}!#%&*?@]/u.test(bare) && varies(bare, 5)
}

function isAddressOrPath(value: string): boolean {
  return /^(?:\.{0,2}\/|[A-Za-z]:[\\/]|[a-z][a-z0-9+.-]{1,12}(?::|\[:\])\/\/)|^[^\s@]{1,80}@[\w-]{1,60}\.[\w.-]{2,60}$|^sha\d{3}[:-]/i.test(
    value,
  )
}
