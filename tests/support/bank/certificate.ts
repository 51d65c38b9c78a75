import { execFileSync } from 'node:child_process'
import { createHash, X509Certificate } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface Certificate {
  readonly key: string
  readonly cert: string
  /** SHA-256 of its public key, as Chromium's switch for such certificates wants it. */
  readonly spki: string
}

/** A certificate of its own for `localhost` and `bank.example`. */
export function makeCertificate(): Certificate {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-bank-'))
  try {
    const [keyFile, certFile] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
    const names = 'subjectAltName=DNS:localhost,DNS:bank.example,IP:127.0.0.1'
    const kind = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
    const where = ['-keyout', keyFile, '-out', certFile, '-subj', '/CN=localhost', '-addext', names]
    execFileSync('openssl', [...kind, ...where], { stdio: 'ignore' })
    const cert = readFileSync(certFile, 'utf8')
    const spki = new X509Certificate(cert).publicKey.export({ type: 'spki', format: 'der' })
    return {
      key: readFileSync(keyFile, 'utf8'),
      cert,
      spki: createHash('sha256').update(spki).digest('base64'),
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
