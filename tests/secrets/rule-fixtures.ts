import { joined as j, noise, wrapped } from './noise.ts'

export interface RuleFixtures {
  readonly finds: readonly string[]
  readonly leaves: readonly string[]
}

const pem = (label: string, body: string, end = true) =>
  `-----BEGIN ${label}-----\n${wrapped(body, 64)}\n${end ? `-----END ${label}-----\n` : ''}`
const KEY = j('PRIVATE', ' KEY')
/** A prefix followed by noise; and what a manual writes in its place. */
const token = (prefix: string, length: number, alphabet: Parameters<typeof noise>[1] = 'alnum'): RuleFixtures => ({
  finds: [
    `the token is ${j(prefix, noise(length, alphabet))}, keep it`,
    `${j(prefix, noise(length, alphabet))}and-more`,
  ],
  leaves: [`${prefix}${'x'.repeat(length)}`, `write ${prefix}… here`, `a${prefix}`],
})
const both = (...fixtures: readonly RuleFixtures[]): RuleFixtures => ({
  finds: fixtures.flatMap((one) => one.finds),
  leaves: fixtures.flatMap((one) => one.leaves),
})

/** For each rule of the pack what it must find, and what it must leave alone. */
export const RULE_FIXTURES: Readonly<Record<string, RuleFixtures>> = {
  'private-key': {
    finds: [
      pem(KEY, j('MC4CAQAwBQYDK2Vw', noise(44, 'base64'))),
      pem(j('RSA ', KEY), noise(1600, 'base64')),
      pem(j('EC ', KEY), noise(160, 'base64'), false),
      pem(j('OPENSSH ', KEY), noise(380, 'base64')),
      pem(j('PGP ', KEY, ' BLOCK'), j('Version: GnuPG v2\n\n', noise(900, 'base64'))),
      j(
        '-----BEGIN RSA ',
        KEY,
        '-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,',
        noise(32, 'hex'),
        '\n\n',
        wrapped(noise(640, 'base64'), 64),
      ),
      wrapped(j('b3BlbnNzaC1rZXkt', 'djEAAAAABG5vbmU', noise(280, 'base64')), 70),
      j('seed MC4CAQAwBQYDK2Vw', 'BCIEI', noise(43, 'base64'), ' end'),
      j(
        'PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\nComment: me\nPublic-Lines: 1\n',
        noise(60, 'base64'),
        '\nPrivate-Lines: 1\n',
        noise(48, 'base64'),
        '\n',
      ),
      j('AGE-SECRET-KEY-', '1', noise(58, 'bech32')),
      j('xprv', noise(107, 'base58')),
      `{"kty":"OKP","crv":"Ed25519","x":"${noise(43, 'url')}","d":"${noise(43, 'url', 'd')}"}`,
      `{"d":"${noise(43, 'url', 'd')}","kty":"OKP","x":"${noise(43, 'url')}"}`,
      `[Interface]\nPrivateKey = ${noise(43, 'base64')}=\n`,
    ],
    leaves: [
      j('A PEM file begins with -----BEGIN ', KEY, '----- and ends with -----END ', KEY, '-----.'),
      pem('PUBLIC KEY', noise(120, 'base64')),
      pem('CERTIFICATE', noise(1200, 'base64')),
      `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${noise(43, 'base64')} me@laptop`,
      `{"kty":"OKP","crv":"Ed25519","x":"${noise(43, 'url')}"}`,
      'Your private key never leaves your machine; keep the private key safe.',
    ],
  },
  'aws-key': both(token(j('AK', 'IA'), 16, 'base32'), {
    finds: [j('aws_secret_', 'access_key = ', noise(40, 'base64')), `AWS secret key: "${noise(40, 'base64')}"`],
    leaves: ['aws secret manager holds it', `aws_secret_access_key = ${'x'.repeat(40)}`, 'ASIA is a continent'],
  }),
  'github-token': both(token(j('gh', 'p_'), 36), token(j('github', '_pat_'), 82), token(j('gh', 's_'), 36)),
  'gitlab-token': token(j('gl', 'pat-'), 20, 'url'),
  'slack-token': both(token(j('xo', 'xb-'), 50), token(j('xa', 'pp-1-'), 60)),
  'slack-webhook': token(j('https://hooks.', 'slack.com/services/'), 44),
  'stripe-key': both(token(j('sk', '_live_'), 24), token(j('rk', '_test_'), 24), token(j('wh', 'sec_'), 32)),
  'anthropic-key': token(j('sk-', 'ant-api03-'), 95, 'url'),
  'openai-key': both(token(j('sk-', 'proj-'), 60), token(j('s', 'k-'), 48)),
  'google-key': both(
    token(j('AI', 'za'), 35, 'url'),
    token(j('GOC', 'SPX-'), 28, 'url'),
    token(j('ya', '29.'), 100, 'url'),
    token(j('1/', '/0'), 60, 'url'),
  ),
  'telegram-token': token(j('123456789', '0:AA'), 33, 'url'),
  'discord-token': both(token(j('https://discord', '.com/api/webhooks/123456789012345678/'), 68, 'url'), {
    finds: [j('M', noise(25), '.', noise(6), '.', noise(38, 'url'))],
    leaves: ['Nothing.really.matters', 'www.example.org'],
  }),
  'twilio-key': token('SK', 32, 'hex'),
  'sendgrid-key': token(j('SG', '.', noise(22, 'url'), '.'), 43, 'url'),
  'mailgun-key': token(j('ke', 'y-'), 32, 'hex'),
  'mailchimp-key': {
    finds: [j(noise(32, 'hex'), '-us', '12')],
    leaves: [`${'0'.repeat(32)}-us1`, 'talk to-us1'],
  },
  'brevo-key': both(token(j('xkey', 'sib-'), 64, 'hex'), token(j('xsmtp', 'sib-'), 64, 'hex')),
  'npm-token': both(token(j('np', 'm_'), 36), token(j('//registry.example/:_auth', 'Token='), 40)),
  'pypi-token': token(j('py', 'pi-'), 120, 'url'),
  'docker-token': token(j('dckr', '_pat_'), 27, 'url'),
  'huggingface-token': token(j('h', 'f_'), 34),
  'groq-key': token(j('gs', 'k_'), 52),
  'digitalocean-token': token(j('do', 'p_v1_'), 64, 'hex'),
  'shopify-token': token(j('shp', 'at_'), 32, 'hex'),
  'grafana-token': both(token(j('gl', 'sa_'), 41), token(j('gl', 'c_'), 60)),
  'linear-key': token(j('lin', '_api_'), 40),
  'notion-token': both(token(j('nt', 'n_'), 46), token(j('sec', 'ret_'), 43)),
  'figma-token': token(j('fi', 'gd_'), 40, 'url'),
  'vercel-token': token(j('vc', 'p_'), 56),
  'cloudflare-token': token(j('cf', 'ut_'), 48),
  'databricks-token': token(j('da', 'pi'), 32, 'hex'),
  'vault-token': token(j('hv', 's.'), 95, 'url'),
  'tailscale-key': token(j('tskey', '-auth-'), 40),
  '1password-token': token(j('ops', '_ey'), 120),
  'doppler-token': token(j('dp', '.pt.'), 43),
  'facebook-token': token(j('EA', 'A'), 120),
  'instagram-token': token(j('IG', 'Q'), 120),
  'x-token': token('A'.repeat(21), 80),
  'square-token': token(j('sq0', 'atp-'), 22, 'url'),
  'airtable-token': token(j('pa', 't', noise(14), '.'), 64, 'hex'),
  'supabase-key': token(j('sb', 'p_'), 40, 'hex'),
  'postman-key': token(j('PM', 'AK-'), 59, 'hex'),
  'mapbox-token': token(j('p', 'k.ey', 'J'), 82, 'url'),
  'dropbox-token': token(j('s', 'l.'), 130, 'url'),
  'azure-key': token(j('Account', 'Key='), 86, 'base64'),
  'json-web-token': {
    finds: [j('ey', 'J', noise(30, 'url'), '.ey', 'J', noise(90, 'url'), '.', noise(43, 'url'))],
    leaves: [j('ey', 'J is how every one of them begins'), j('eyJ', noise(30, 'url'))],
  },
  'url-credentials': {
    finds: [
      j('https://deploy:', noise(14), '@git.example.org/vault.git'),
      j('redis://:', noise(20), '@10.0.0.3:6379/0'),
      j('postgres://app:', 'S3', 'lamb!', '@db/orders'),
      j('hxxps[:]//me:', noise(12), '@host.example/x'),
      j('https://', noise(40, 'hex'), ':x-oauth-', 'basic@github.com/a/b'),
    ],
    leaves: [
      'https://user:password@example.org',
      j('redis://:$', '{REDIS_PASSWORD}@redis:6379'),
      'https://example.org:8443/a@b',
      'see http://a.example/x and write to me: me@b.example',
      'postgres://app:***@db/orders',
    ],
  },
  'authorization-header': {
    finds: [
      j('Authorization: Bea', 'rer ', noise(40)),
      j('-H "authorization: Ba', 'sic ', noise(28), '=="'),
      j('X-Api-Key: ', noise(32)),
      j('{"Authorization":"Bea', 'rer ', noise(50), '"}'),
      j('with the bearer ', noise(48)),
    ],
    leaves: ['Authorization: Bearer <token>', 'the bearer of this letter is entitled', j('x-api-key: $', '{KEY}')],
  },
  'session-cookie': {
    finds: [
      j('Cookie: theme=dark; session', 'id=', noise(32), '; x=1'),
      j('Set-Cookie: connect', '.sid=s%3A', noise(40), '; Path=/; HttpOnly'),
      j('PHP', 'SESSID=', noise(26, 'alnum')),
    ],
    leaves: ['Cookie: theme=dark', 'We use cookies. See our cookie policy.', 'sessionid=<yours>'],
  },
  'session-state': {
    finds: [
      '{"cookies": [\n  {"name": "sid", "value": "x"}]}',
      '{"name":"a","value":"b","httpOnly":true}',
      '# Netscape HTTP Cookie File\n.example.org\tTRUE\t/\tTRUE\t0\tsid\tx',
    ],
    leaves: ['{"cookies": false}', 'httpOnly cookies are safer', '"cookies": ["chocolate"]'],
  },
  'whatsapp-session': {
    finds: ['{"noiseKey":{"private":{}}}', '"advSecretKey": "abc="', 'WAToken1="x"'],
    leaves: ['the noiseKey of Baileys', 'advSecretKey'],
  },
  credential: {
    finds: [
      j('SMTP_PASS', 'WORD=', noise(16)),
      j('api_', 'key: "', noise(24), '"'),
      j('client_', "secret => '", noise(30), "'"),
      j('spring.datasource.pass', 'word=', 'Tr0ub4dor&3'),
      j('export MY_TOKEN=', noise(32, 'hex')),
      j('"access', 'Key": "', noise(26), '"'),
      j('pwd=', noise(10)),
      j('MAIL_PASS', 'WORD=', noise(20)),
      j('<add key="StorePw" value="', noise(14), '!"/>'),
      j('BW_SESSION="', noise(86, 'base64'), '=="'),
    ],
    leaves: [
      j('password=$', '{PASSWORD}'),
      'token: string',
      'key: value',
      'secret = process.env.SECRET',
      'api_key=/run/secrets/api-key',
      'password: correct',
      `digest: sha256:${noise(64, 'hex')}`,
      'the key: 12 December 2026',
      'auth_key=<your key here>',
      'token = readTokenFromEnvironment',
    ],
  },
  password: {
    finds: [
      `Your password is ${j('Blue', 'Fox42!')}`,
      `Das Passwort lautet: ${j('Sommer', '2026#')}`,
      `mot de passe : ${j('Azerty', '99!')}`,
      `La contraseña es ${j('Verano', '2026!')}`,
      `wachtwoord: ${j('fiets', 'bel77')}`,
      `Пароль: ${j('qwe', 'R7!rty')}`,
      `密码：${j('Abc', '12345!')}`.replace('：', ': '),
      j('VPN (user olivia, pw ', 'Zug-nach-9Uhr', ')'),
      j('WLAN-Netzwerkschlüssel ', '48213009958211740392'),
      `Passphrase for the archive is "${j('tulip', '-44-moss')}"`,
    ],
    leaves: [
      'Your password is stored safely.',
      'Das Passwort ist abgelaufen.',
      'Passwort: siehe Tresor',
      'password: see 1Password',
      'The password is valid until 2026-11-20.',
      'Password reset: https://example.org/help',
      'Kennwort vergessen? Schreiben Sie an hilfe@example.org',
      'the password is ⟦masked:password⟧',
      'the pw policy',
      'network key figures 2026',
    ],
  },
  'command-line-password': {
    finds: [
      j('mysql -u root -p', noise(12), ' orders'),
      j('curl -s -u olivia:', noise(14), ' https://api.example.com'),
      j("sshpass -p '", noise(13), "' ssh root@10.0.0.4"),
    ],
    leaves: [
      'mysql -u root -p orders',
      'curl -u me https://x.example',
      'wget --user me https://x.example',
      'mysql -u root -port',
    ],
  },
  'password-hash': {
    finds: [
      j('olivia:{SHA', '}', noise(27, 'base64'), '='),
      j('admin:$2', 'y$10$', noise(53)),
      j('root:$', '6$', noise(12), '$', noise(86), ':19000:'),
      j('web:$ap', 'r1$', noise(8), '$', noise(22)),
      j('$argon2', 'id$v=19$m=65536,t=3,p=4$', noise(22), '$', noise(43)),
    ],
    leaves: ['it costs $2 and $10', 'US$6$', 'price: $2y'],
  },
  'password-file': {
    finds: [
      j('machine mail.example.org login me pass', 'word hunter22'),
      j('db.example.org:54', '32:orders:app:', noise(12)),
    ],
    leaves: ['the machine is in the hall; login at the desk', 'at 10:5432:xx', 'ratio 3:3306:1'],
  },
  'docker-auth': {
    finds: [j('{"auths":{"registry.example":{"au', 'th":"', noise(28), '=="}}}')],
    leaves: ['{"auth": "none"}', '"auth": true'],
  },
  'one-time-code-seed': {
    finds: [
      j('otpauth://to', 'tp/Shop:me?issuer=Shop&secret=', noise(32, 'base32')),
      j('otpauth[:]//to', 'tp/Shop?secret=', noise(16, 'base32')),
    ],
    leaves: ['otpauth is a scheme', 'otpauth://totp/Shop'],
  },
  'wifi-password': {
    finds: [j('WIFI:T:WPA;S:Office;P:', noise(12), ';;')],
    leaves: ['WIFI: ask at the desk', 'WIFI:T:nopass;S:Guests;;'],
  },
  'seed-phrase': {
    finds: [
      'Seed phrase: amber brick cabin drift eagle fabric gallop harbor island jungle kettle lemon',
      'Your recovery words are:\nunder vivid walnut yellow zebra apple bottle candle dragon engine forest garden',
    ],
    leaves: [
      'The recovery phrase is a list of words that you write on paper and keep where nobody else looks for it.',
      'secret words of the trade: patience',
    ],
  },
  'azure-signature': {
    finds: [j('https://a.blob.example/x?sv=2024-01-01&se=2026-12-01&sig=', noise(43, 'alnum'), '%3D')],
    leaves: ['https://a.example/x?sv=1&sig=none', `&sig=${noise(43)}`],
  },
  'card-number': {
    finds: [
      j('4111 1111', ' 1111 1111'),
      j('5500-0000-', '0000-0004'),
      j('3782 8224', '6 10005').replace('3782 82246 10005', '3782 822463 10005'),
      j('Visa ', '4012888888', '881881'),
      j('401288', '8888881881 09/28'),
      j('4012.8888.', '8888.1881'),
      j('Kreditkarte: ', '555555555', '5554444'),
    ],
    leaves: [
      '4111 1111 1111 1112',
      'order 4012888888881881 shipped',
      'IBAN DE89 3704 0044 0532 0130 00',
      'call 4930 1234 5678 9012 345',
      'invoice 2026-0000-0000-0000',
      'Rechnung 4000 0000 0000 0000',
    ],
  },
  'card-security-code': {
    finds: ['CVV: 737', 'CVC2 - 123', 'Kartenprüfnummer 456', 'cryptogramme : 321'],
    leaves: ['CVC of Prague', 'the cvv is on the back', 'CVV: 12345'],
  },
  'one-time-code': {
    finds: [
      'Your verification code is 482913.',
      'Ihr Bestätigungscode lautet: 48 29 13',
      'Votre code de vérification : 482 913',
      'Su código de verificación es 482913',
      'Il tuo codice di verifica: 482913',
      'Uw verificatiecode is 482913',
      'Twój kod weryfikacyjny to: 482913',
      'Ваш код подтверждения: 482913',
      '您的验证码: 482913',
      'OTP: 482913',
      'Die TAN für Ihren Auftrag lautet 482913',
      'G-482913 is your Google verification code.',
      '482913 is your login code',
      'Your security code is:\n\n  K7PX-2M9Q\n',
      '482 913 ist Ihr Code',
    ],
    leaves: [
      'Use discount code SAVE20 at the till.',
      'The postal code is 10115.',
      'Error code 4711 in line 12',
      'Our verification code of conduct was published in 2024.',
      'Invoice 482913 is your receipt.',
      'Please verify the code of the module.',
    ],
  },
  pin: {
    finds: ['Your booking PIN: 4821', 'PIN-Code 482100', 'Ihre PIN lautet 4821'],
    leaves: ['pin 4821 of the connector', 'Spinning 4821 times', 'PIN and TAN are needed'],
  },
  'recovery-code': {
    finds: ['Your recovery codes:\n  8f3k-29xq\n  7h2m-11pz\n', 'Backup code: 4821 9930'],
    leaves: ['Keep your recovery codes safe.', 'no backup codes are left'],
  },
  'link-token': {
    finds: [
      j('https://shop.example/reset?token=', noise(32)),
      j('https://files.example/get?file=a.pdf&sig=', noise(43, 'url')),
      j('https://login.example/x?a=1&code=', noise(43, 'url'), '&b=2'),
      j('https://app.example/magic-link/', noise(40, 'url')),
      j('https://app.example/verify-email/7c9e6679-7425-40de-944b-e07fc1f90ae7'),
      j('hxxps[:]//app.example/users/confirm/', noise(24)),
    ],
    leaves: [
      'https://example.org/blog/how-to-reset-your-password-in-three-steps',
      'https://docs.example.com/document/d/1aB2cD3eF4gH5iJ6kL7mN8oP9qR0sT/edit',
      'https://news.example/2026/11/20/markets?utm_source=newsletter&utm_campaign=november',
      'https://shop.example/order?id=482913',
      'https://example.org/login',
    ],
  },
}
