//! What the Chinese list of variables says of those that do more than to stand for a key of the config.

/// The meanings, by the names of the variables. One that only stands for a key needs none, as a key is the same in all languages.
pub(super) const VARIABLES: [(&str, &str); 23] = [
    ("TZ", "`settings.timezone`，日期所用时区（默认 UTC）"),
    ("WEBHOOK_URL", "`webhook.url`；配置中没有 webhook 时新建一个"),
    ("JWT_SECRET_KEY", "配置未给出 `jwt.secret` 时使用（webhook 与 Pushgateway）"),
    ("JWT_ACCESS_TOKEN_EXPIRES_HOURS", "配置未给出 `jwt.expires_hours` 时使用（默认 24）"),
    ("DATABASE_URL", "`state.url`，仅当它是 `postgres://` 地址且配置未指定文件时"),
    ("PUSHGATEWAY_URL", "`metrics.pushgateway.url`；配置中没有时新建一个"),
    ("CONFIG_PATH", "配置文件，同 `--config`"),
    ("BALANCE_ALERT_STATE", "记忆的位置，同 `--state`；也可为 `postgres://` 地址"),
    ("BALANCE_ALERT_JOB_NAME", "Kubernetes Job 的名称，其末尾为计划时间，用于延迟指标"),
    ("BALANCE_ALERT_RUN_ID", "本次运行的编号，使重试的运行编号相同（默认为时间加随机数字）"),
    ("BALANCE_ALERT_SHARD", "本次运行负责的分片，同 `--shard`"),
    ("BALANCE_ALERT_SHARDS", "分片总数，用于 `--shard auto`"),
    ("JOB_COMPLETION_INDEX", "分片序号（从 0 起），用于 `--shard auto`；由 Kubernetes 的 Indexed Job 设置"),
    ("LOG_FORMAT", "`text`（默认）或 `json`，输出到标准错误"),
    ("LOG_LEVEL", "`off`、`error`、`warn`（默认）、`info`、`debug`、`trace`；也可用 `RUST_LOG`"),
    ("NO_COLOR", "非空时不使用颜色"),
    ("SSL_CERT_FILE", "另外信任的证书颁发机构文件；`SSL_CERT_DIR` 为其目录"),
    ("TZDIR", "时区规则所在的目录（默认为系统目录与内置规则）"),
    ("HTTPS_PROXY", "https 代理；`HTTP_PROXY`、`ALL_PROXY`、`NO_PROXY` 同理"),
    ("XDG_CONFIG_HOME", "在此查找 `balance-alert/config.yaml`，其次 `/etc`"),
    ("GITHUB_STEP_SUMMARY", "`--output github` 把 Markdown 追加到此文件；由 GitHub Actions 设置"),
    ("LANG", "以 zh 开头时 `init` 写出中文；`LC_ALL` 与 `LC_MESSAGES` 优先"),
    ("XDG_STATE_HOME", "在此保存 `balance-alert/state.db`（默认 `~/.local/state`）"),
];
