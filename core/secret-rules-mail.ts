import { type SecretRule, varies } from './secret-rule.ts'

const CODE_WORDS = [
  '(?:verification|confirmation|security|login|sign-?in|access|authentication|activation|one-?time|single-?use|2fa|mfa) ?(?:code|pin|passcode|password)',
  'passcode',
  'otp',
  '(?:bestätigungs|verifizierungs|sicherheits|anmelde|login|zugangs|freischalt|aktivierungs|einmal)-?(?:code|kennwort|passwort|pin)',
  '(?:sms|push|photo|mobile|chip|i|m)?-?tan',
  "code (?:de|d[’']) ?(?:vérification|verification|sécurité|securite|confirmation|connexion|validation|accès|acces|activation)",
  'código (?:de )?(?:verificación|seguridad|confirmación|acceso|verificação|segurança|confirmação)',
  'codigo (?:de )?(?:verificacion|seguridad|confirmacion|acceso)',
  'codice (?:di )?(?:verifica|sicurezza|conferma|accesso)',
  '(?:verificatie|beveiligings|bevestigings|inlog)code',
  'kod (?:weryfikacyjny|potwierdzenia|dostępu)',
  'код (?:подтверждения|доступа|проверки)',
  '(?:verifierings|bekräftelse|engångs|godkendelses|bekreftelses)kod[ea]?',
  'ověřovací kód',
  'doğrulama kodu',
].join('|')
/** Written without spaces around them. */
const CODE_WORDS_CJK = '验证码|驗證碼|確認コード|認証コード|인증 ?번호|인증 ?코드'
const SCHEME_END = '(?::|\\[:\\])//'
/** Links that let in whoever has them. */
const ENTRY_WORDS =
  /reset|recover|passwor[dt]|verif|confirm|activat|magic|log-?in|sign-?in|sign-?up|sso|auth|invit|unlock|onboard|bestaetig|bestätig|aktivier|zuruecksetzen|mot-de-passe|reinitialis|contrasena|restablecer|conferma|wachtwoord|one-?time|session|token/i
const TOKEN_NAMES =
  '(?:[\\w.-]{0,30}(?:token|ticket|signature|otp|jwt|session|secret|password|verifier|nonce|hash|hmac|apikey|api_key|access_key|credential)|auth|code|key|pwd|sig|sid|tok|oobcode|challenge|invitation|invite|uid|t|k)'

/** What mail brings every day and nobody needs a day later. */
export const MAIL_RULES: readonly SecretRule[] = [
  {
    name: 'one-time-code',
    kind: 'mask',
    triggers: [
      'code',
      'otp',
      'tan',
      'kod',
      'код',
      'kód',
      'codice',
      'código',
      'pass',
      '码',
      '碼',
      'コード',
      '번호',
      '코드',
      'pin',
      'kennwort',
    ],
    pattern: new RegExp(
      `(?:(?<![\\p{L}\\p{N}])(?:${CODE_WORDS})(?![\\p{L}\\p{N}])|${CODE_WORDS_CJK})[^\\n]{0,40}?[:：\\s-][\\s]{0,6}[“"'(*]{0,2}(?<secret>[A-Z]{0,2}-?\\d(?:[ -]?\\d){3,7}|(?=[A-Z0-9-]{0,8}\\d)[A-Z0-9]{3,5}-?[A-Z0-9]{3,5})(?![\\p{L}\\p{N}])`,
      'dgiu',
    ),
    accept: ({ groups }) => /\d.*\d/.test(groups?.secret ?? '') && !isYearOrDate(groups?.secret ?? ''),
  },
  {
    name: 'one-time-code',
    kind: 'mask',
    triggers: ['code', 'otp', 'pin', 'passcode', 'kod', 'código', 'codice', 'код'],
    pattern:
      /(?<![\p{L}\p{N}.,/-])(?<secret>(?:[A-Z]{1,2}-)?\d{3}[ -]?\d{1,5})[ \t]{1,3}(?:is|as|ist|est|es|è|é)[ \t]{1,3}(?:your|ihr|dein|votre|tu|su|il tuo|seu)[^\n]{0,40}(?:code|otp|pin|passcode|kod|código|codice|код)/dgiu,
  },
  {
    name: 'pin',
    kind: 'mask',
    triggers: ['pin'],
    pattern:
      /(?<![\p{L}\p{N}-])PIN(?:-?(?:code|nummer|number))?(?![\p{L}\p{N}])[^\d\n]{0,20}?(?<secret>\d{4,8})(?![\p{N}])/dgu,
  },
  {
    name: 'recovery-code',
    kind: 'mask',
    triggers: [
      'recovery code',
      'backup code',
      'wiederherstellungscode',
      'backup-code',
      'code de secours',
      'código de recuperación',
    ],
    pattern:
      /(?:recovery[ -]codes?|backup[ -]codes?|wiederherstellungscodes?|codes? de secours|códigos? de recuperación)[^\n]{0,60}?[\s:]{1,6}(?<secret>[a-z0-9]{4,10}(?:[ -][a-z0-9]{4,10}){0,6}(?:\s{1,4}[a-z0-9]{4,10}(?:[ -][a-z0-9]{4,10}){1,6}){0,15})/dgi,
    accept: ({ groups }) => /\d/.test(groups?.secret ?? ''),
  },
  {
    name: 'link-token',
    kind: 'mask',
    triggers: ['='],
    // The value alone goes: where a link led stays readable.
    pattern: new RegExp(`[?&;#]${TOKEN_NAMES}=(?<secret>[^\\s&#"'<>()[\\]]{16,2000})`, 'dgi'),
    accept: ({ groups }) => isTokenLike(groups?.secret ?? '', 16),
  },
  {
    name: 'link-token',
    kind: 'mask',
    triggers: ['//'],
    pattern: new RegExp(
      `${SCHEME_END}(?<rest>[^\\s/"'<>]{3,120}/[^\\s"'<>]{0,600}?[/=])(?<secret>[\\w~.%+-]{20,1200})(?![\\w~%+-])`,
      'dg',
    ),
    accept: ({ groups }) => isTokenLike(groups?.secret ?? '', 20) && ENTRY_WORDS.test(`${groups?.rest ?? ''}`),
  },
]

/** Letters and digits in no order: neither words with hyphens nor a number. */
function isTokenLike(value: string, minLength: number): boolean {
  if (value.length < minLength || !varies(value, 8)) return false
  const longest = Math.max(
    0,
    ...value.split(/[-_.%+~]/).map((part) => (/\d/.test(part) && /[A-Za-z]/.test(part) ? part.length : 0)),
  )
  return longest >= 8 || /^[0-9a-f]{8}-[0-9a-f]{4}-/i.test(value) || /^[A-Za-z]{24,}$/.test(value)
}

function isYearOrDate(text: string): boolean {
  return /^(?:19|20)\d\d$/.test(text) || /^\d{1,2}-\d{1,2}-\d{2,4}$/.test(text)
}
