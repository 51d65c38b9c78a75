import { type SecretRule, varies } from './secret-rule.ts'

/**
 * Keys and tokens that say by their form what they are. Each is bounded on the left only: a suffix must not save a
 * token. How much a value varies is judged on its beginning, for the same reason.
 */
export const TOKEN_RULES: readonly SecretRule[] = [
  {
    name: 'private-key',
    kind: 'block',
    triggers: ['private key'],
    // With or without its end; a key that is only named in prose has no base64 after it.
    pattern:
      /-----BEGIN[ \t]?(?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----[\s\S]{0,160}?[A-Za-z0-9+/=\r\n]{40,8000}/dg,
  },
  {
    name: 'private-key',
    kind: 'block',
    triggers: ['b3blbnnzac1rzxktdje', 'mc4caqawbqydk2vwbciei', 'putty-user-key-file', 'age-secret-key-1', 'xprv'],
    pattern:
      /b3BlbnNzaC1rZXktdjE[A-Za-z0-9+/=\s]{40,4000}|MC4CAQAwBQYDK2VwBCIEI[A-Za-z0-9+/]{42}|PuTTY-User-Key-File-\d:[\s\S]{0,400}?Private-Lines: \d{1,3}\s[A-Za-z0-9+/=\s]{20,4000}|AGE-SECRET-KEY-1[0-9A-Z]{58}|xprv[1-9A-HJ-NP-Za-km-z]{80,120}/dg,
  },
  {
    name: 'private-key',
    kind: 'block',
    triggers: ['"kty"', 'privatekey'],
    pattern:
      /\{[^{}]{0,800}"kty"[^{}]{0,2000}"(?:d|k)"\s{0,3}:\s{0,3}"[\w-]{32,1400}"|\{[^{}]{0,800}"(?:d|k)"\s{0,3}:\s{0,3}"[\w-]{32,1400}"[^{}]{0,2000}"kty"|(?<![A-Za-z])PrivateKey\s{0,3}=\s{0,3}[A-Za-z0-9+/]{43}=/dg,
  },
  token('aws-key', ['akia', 'asia', 'abia', 'acca', 'a3t'], '(?:A3T[A-Z0-9]|AKIA|ASIA|ABIA|ACCA)', '[A-Z2-7]', 16),
  {
    name: 'aws-key',
    kind: 'block',
    triggers: ['secret'],
    pattern: /aws.{0,20}secret.{0,20}?[=:"'\s](?<secret>[A-Za-z0-9/+]{40})(?![A-Za-z0-9/+])/dgi,
    accept: ({ groups }) => varies(groups?.secret ?? '', 12),
  },
  token('github-token', ['ghp_', 'gho_', 'ghu_', 'ghs_', 'ghr_'], 'gh[pousr]_', '[A-Za-z0-9_]', 36),
  token('github-token', ['github_pat_'], 'github_pat_', '[A-Za-z0-9_]', 40),
  token(
    'gitlab-token',
    ['glpat-', 'gldt-', 'glrt-', 'glptt-', 'glft-', 'glcbt-', 'glsoat-'],
    'gl(?:pat|dt|rt|ptt|ft|cbt|soat)-',
    '[\\w-]',
    20,
  ),
  token('slack-token', ['xox', 'xapp-'], '(?:xox[abeoprs]|xapp)-', '[\\w-]', 20),
  token(
    'slack-webhook',
    ['hooks.slack'],
    'hooks\\.slack(?:-gov)?\\.com/(?:services|workflows|triggers)/',
    '[\\w/]',
    24,
  ),
  token(
    'stripe-key',
    ['sk_live', 'sk_test', 'rk_live', 'rk_test', 'whsec_'],
    '(?:[rs]k_(?:live|test)_|whsec_)',
    '[A-Za-z0-9+/]',
    16,
  ),
  token('anthropic-key', ['sk-ant-'], 'sk-ant-[a-z]{2,8}\\d\\d-', '[\\w-]', 24),
  token('openai-key', ['sk-'], 'sk-(?:proj-|svcacct-|admin-|or-v1-)?', '[A-Za-z0-9_]', 24),
  token('google-key', ['aiza'], 'AIza', '[\\w-]', 35),
  token('google-key', ['gocspx-', 'ya29.', '1//0'], '(?:GOCSPX-|ya29\\.|1//0)', '[\\w-]', 24),
  token('telegram-token', [':aa'], '\\d{8,10}:AA', '[\\w-]', 33),
  token('discord-token', ['discord'], 'discord(?:app)?\\.com/api/webhooks/\\d{15,20}/', '[\\w-]', 40),
  { ...token('discord-token', ['.'], '[MNO][A-Za-z0-9_-]{23,27}\\.[A-Za-z0-9_-]{6}\\.', '[\\w-]', 27) },
  token('twilio-key', ['sk'], 'SK', '[0-9a-f]', 32),
  token('sendgrid-key', ['sg.'], 'SG\\.[\\w-]{16,32}\\.', '[\\w-]', 16),
  token('mailgun-key', ['key-'], 'key-', '[0-9a-f]', 32),
  { ...token('mailchimp-key', ['-us'], '[0-9a-f]{32}-us', '[0-9]', 1), accept: ({ 0: all }) => varies(all, 8) },
  token('brevo-key', ['xkeysib-', 'xsmtpsib-'], 'x(?:key|smtp)sib-', '[0-9a-f]', 40),
  token('npm-token', ['npm_'], 'npm_', '[A-Za-z0-9_]', 36),
  { ...token('npm-token', ['_authtoken'], '_authToken\\s{0,3}=\\s{0,3}"?', '[\\w+/=.-]', 16) },
  token('pypi-token', ['pypi-'], 'pypi-', '[\\w-]', 50),
  token('docker-token', ['dckr_'], 'dckr_(?:pat|oat)_', '[\\w-]', 27),
  token('huggingface-token', ['hf_'], 'hf_', '[A-Za-z0-9]', 30),
  token('groq-key', ['gsk_'], 'gsk_', '[A-Za-z0-9]', 40),
  token('digitalocean-token', ['_v1_'], 'do[opr]_v1_', '[0-9a-f]', 64),
  token('shopify-token', ['shp'], 'shp(?:at|ca|pa|ss)_', '[A-Za-z0-9]', 32),
  token('grafana-token', ['glsa_', 'glc_'], '(?:glsa|glc)_', '[\\w+/]', 32),
  token('linear-key', ['lin_api_'], 'lin_api_', '[A-Za-z0-9_]', 32),
  token('notion-token', ['ntn_', 'secret_'], '(?:ntn_|secret_)', '[A-Za-z0-9]', 40),
  token('figma-token', ['figd_'], 'figd_', '[\\w-]', 40),
  token('vercel-token', ['vcp_', 'vci_', 'vca_', 'vcr_', 'vck_'], 'vc[piark]_', '[A-Za-z0-9]', 20),
  token('cloudflare-token', ['cfk_', 'cfut_', 'cfat_'], 'cf(?:k|ut|at)_', '[A-Za-z0-9]', 40),
  token('databricks-token', ['dapi'], 'dapi', '[0-9A-Fa-f]', 32),
  token('vault-token', ['hvs.', 'hvb.', 'hvr.'], 'hv[sbr]\\.', '[\\w-]', 24),
  token('tailscale-key', ['tskey-'], 'tskey-[a-z]{2,20}-', '[\\w-]', 16),
  token('1password-token', ['ops_ey'], 'ops_ey', '[A-Za-z0-9+/=]', 60),
  token('doppler-token', ['dp.'], 'dp\\.(?:pt|st|ct|sa|scim|audit)\\.', '[\\w.-]', 36),
  token('facebook-token', ['eaa'], 'EAA', '[A-Za-z0-9]', 60),
  token('instagram-token', ['igq'], 'IGQ', '[\\w-]', 60),
  token('x-token', ['aaaaaaaaaaaaaaaaaaaaa'], 'A{21,24}', '[A-Za-z0-9%]', 40),
  token('square-token', ['sq0'], 'sq0(?:atp|csp|idp)-', '[\\w-]', 22),
  token('airtable-token', ['pat'], 'pat[A-Za-z0-9]{14}\\.', '[0-9a-f]', 60),
  token('supabase-key', ['sbp_', 'sb_secret_'], 'sb(?:p|_secret)_', '[\\w-]', 30),
  token('postman-key', ['pmak-'], 'PMAK-', '[0-9a-f-]', 50),
  token('mapbox-token', ['k.eyj'], '[ps]k\\.eyJ', '[\\w.-]', 60),
  token('dropbox-token', ['sl.'], 'sl\\.', '[\\w-]', 120),
  token('azure-key', ['accountkey=', 'sharedaccesskey='], '(?:Account|SharedAccess)Key=', '[A-Za-z0-9+/]', 40),
  {
    name: 'json-web-token',
    kind: 'block',
    triggers: ['eyj'],
    pattern: /(?<![A-Za-z0-9_-])eyJ[\w-]{8,2000}\.eyJ[\w-]{8,6000}\.[\w-]{16,1400}/dg,
  },
]

/** A prefix that nobody else uses, then at least `min` characters of an alphabet. */
function token(name: string, triggers: readonly string[], prefix: string, alphabet: string, min: number): SecretRule {
  return {
    name,
    kind: 'block',
    triggers,
    pattern: new RegExp(`(?<![A-Za-z0-9])${prefix}(?<value>${alphabet}{${min},800})`, 'dg'),
    accept: ({ groups }) => varies((groups?.value ?? '').slice(0, Math.max(min, 16)), Math.min(7, min)),
  }
}
