/**
 * What every text has in which a rule of the pinned preset could find something. Loading the preset and running it
 * costs far more than this look, and nearly no text of a vault needs it. Read from the rules themselves; a test holds
 * both together, and the preset's version is pinned exactly.
 */
export const SECRETLINT_TRIGGERS = new RegExp(
  [
    'secret_?access_?key',
    'private_?\\s?key',
    'x-oauth-basic',
    '_authToken=',
    'npm_[a-z0-9_]{36}',
    '(?:xox[bpaor]|xapp)-',
    'hooks\\.slack\\.com/services',
    '://[^\\s@]{0,600}@',
    'sk-(?:proj|svcacct|admin|ant)-',
    'sk-[a-z0-9]{20}T3',
    'gsk_[a-z0-9]{52}',
    'hf_[a-z]{34}',
    'lin_api_',
    'ntn_\\d{11}',
    'SG\\.\\w{1,128}\\.',
    'shp(?:pa|ca|at|ss)_',
    '[sr]k_(?:live|test)_',
    'gh[pousr]_',
    'github_pat_',
    'glpat-',
    'gl(?:c|sa)_',
    'ops_ey',
    '(?:mongodb(?:\\+srv)?|mysqlx?|postgres(?:ql)?)://',
    'hv[sbr]\\.',
    'vc[piark]_[a-z0-9]{20}',
    'dapi[0-9a-f]{32}',
    'dckr_pat_',
    'figd_',
    'cf(?:k|ut|at)_',
    'tskey-',
  ].join('|'),
  'i',
)
