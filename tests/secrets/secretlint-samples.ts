import { generateKeyPairSync } from 'node:crypto'
import { joined as j, noise } from './noise.ts'

const rsa = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey.export({ type: 'pkcs1', format: 'pem' })
const gcp = { private_key_id: noise(40, 'hex'), private_key: rsa.toString() }
/** Service account tokens end with the closing brace alone in the last three bytes. */
const onePassword = [0, 1, 2]
  .map((more) => JSON.stringify({ email: 'a@b.example', secretKey: `A3-${noise(80)}`, more: noise(more) }))
  .find((json) => json.length % 3 === 1)

/** One text for each rule of the preset that it finds. */
export const SECRETLINT_SAMPLES: Readonly<Record<string, string>> = {
  aws: j('AWS_SECRET_ACCESS', '_KEY=', noise(40)),
  gcp: JSON.stringify(gcp),
  privatekey: rsa.toString(),
  npm: j('np', 'm_', noise(36)),
  basicauth: j('https://deploy:', noise(14), '@git.example.org/x'),
  slack: j('xo', 'xb-', noise(12, 'digits'), '-', noise(24)),
  sendgrid: j('SG', '.', noise(22), '.', noise(43)),
  shopify: j('shp', 'at_', noise(32, 'hex')),
  stripe: j('sk', '_live_', noise(24)),
  github: j('gh', 'p_', noise(36)),
  gitlab: j('gl', 'pat-', noise(20)),
  grafana: j('gl', 'sa_', noise(32), '_', noise(8, 'hex')),
  openai: j('sk-', noise(20), 'T3', 'BlbkFJ', noise(20)),
  anthropic: j('sk-', 'ant-api03-', noise(93), 'AA'),
  groq: j('gs', 'k_', noise(52)),
  huggingface: j('h', 'f_', noise(34, 'lower')),
  linear: j('lin', '_api_', noise(40)),
  notion: j('nt', 'n_', noise(11, 'digits'), noise(35)),
  '1password': j('op', 's_', Buffer.from(onePassword ?? '').toString('base64')),
  'database-connection-string': j('postgres://app:', noise(16), '@db.example.org/orders'),
  'hashicorp-vault': j('hv', 's.', noise(95)),
  vercel: j('vc', 'p_', noise(56)),
  databricks: j('da', 'pi', noise(32, 'hex')),
  docker: j('dckr', '_pat_', noise(27)),
  figma: j('fi', 'gd_', noise(40)),
  cloudflare: j('cf', 'ut_', noise(40), noise(8, 'hex')),
  tailscale: j('tskey', '-auth-', noise(12), '-', noise(32)),
}
