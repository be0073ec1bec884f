//! The origin's settings (CONTRACT 1): what each is called, its default, and what is a sensible value.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
};

use clap::Args;
use common::auth::join_token::{JoinSecret, JoinToken};
use node::{
    config::{ExitError, Layers, Setting},
    public_url::PublicUrl,
    telemetry::LogFormat,
};

const CONFIG: Setting = Setting::new("config", "STREAMCIRCLE_CONFIG");
const DATA_DIR: Setting = Setting::new("data-dir", "STREAMCIRCLE_DATA_DIR");
const DATABASE_URL: Setting = Setting::secret("database-url", "DATABASE_URL");
const HTTP: Setting = Setting::new("http", "STREAMCIRCLE_HTTP");
const RTMP: Setting = Setting::new("rtmp", "STREAMCIRCLE_RTMP");
const RTMPS: Setting = Setting::new("rtmps", "STREAMCIRCLE_RTMPS");
const LINK: Setting = Setting::new("link", "STREAMCIRCLE_LINK");
const RELAY_HTTP: Setting = Setting::new("relay-http", "STREAMCIRCLE_RELAY_HTTP");
const NO_RELAY: Setting = Setting::new("no-relay", "STREAMCIRCLE_NO_RELAY");
const PUBLIC_URL: Setting = Setting::new("public-url", "STREAMCIRCLE_PUBLIC_URL");
const ADMIN_TOKEN_FILE: Setting = Setting::new("admin-token-file", "STREAMCIRCLE_ADMIN_TOKEN_FILE");
const ADMIN_TOKEN: Setting = Setting::secret("admin-token", "SERVER_ADMIN_TOKEN");
const PART_MS: Setting = Setting::new("part-ms", "STREAMCIRCLE_PART_MS");
const LINK_ADVERTISE: Setting = Setting::new("link-advertise", "STREAMCIRCLE_LINK_ADVERTISE");
const FFMPEG: Setting = Setting::new("ffmpeg", "STREAMCIRCLE_FFMPEG");
const MAX_ENCODERS: Setting = Setting::new("max-encoders", "STREAMCIRCLE_MAX_ENCODERS");
const TLS_CERT: Setting = Setting::new("tls-cert", "STREAMCIRCLE_TLS_CERT");
const TLS_KEY: Setting = Setting::new("tls-key", "STREAMCIRCLE_TLS_KEY");
const LOG_FORMAT: Setting = Setting::new("log-format", "STREAMCIRCLE_LOG_FORMAT");
const METRICS: Setting = Setting::new("metrics", "STREAMCIRCLE_METRICS");

const SETTINGS: [Setting; 19] = [
    DATA_DIR,
    DATABASE_URL,
    HTTP,
    RTMP,
    RTMPS,
    LINK,
    RELAY_HTTP,
    NO_RELAY,
    PUBLIC_URL,
    ADMIN_TOKEN_FILE,
    ADMIN_TOKEN,
    PART_MS,
    LINK_ADVERTISE,
    FFMPEG,
    MAX_ENCODERS,
    TLS_CERT,
    TLS_KEY,
    LOG_FORMAT,
    METRICS,
];

const PART_MS_RANGE: std::ops::RangeInclusive<u32> = 100..=1000;
/// Each is a process: more than any computer keeps up with are a slip of the hand.
const MAX_ENCODERS_RANGE: std::ops::RangeInclusive<usize> = 0..=256;
const ANYWHERE: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

/// The flags as they were typed; what is absent is looked up in the environment, then in the file.
#[derive(Args, Debug, Default)]
pub struct Flags {
    /// TOML file with any of these settings [env: STREAMCIRCLE_CONFIG]
    #[arg(long, value_name = "FILE", global = true)]
    pub config: Option<String>,
    /// Where keys, identities and the SQLite database are kept [default: ./data]
    #[arg(long, value_name = "DIR", global = true)]
    data_dir: Option<String>,
    /// `sqlite://PATH` or `postgres://…` [env: DATABASE_URL] [default: sqlite://DATA_DIR/streamcircle.db]
    #[arg(long, value_name = "URL", global = true)]
    database_url: Option<String>,
    /// Listener of the API and the dashboard [default: 0.0.0.0:4000]
    #[arg(long, value_name = "ADDR", global = true)]
    http: Option<String>,
    /// Listener of RTMP, where OBS sends to [default: 0.0.0.0:1935]
    #[arg(long, value_name = "ADDR", global = true)]
    rtmp: Option<String>,
    /// Listener of RTMP over TLS, with the certificate of --tls-cert [default: off]
    #[arg(long, value_name = "ADDR", global = true)]
    rtmps: Option<String>,
    /// UDP listener of the link, where relays join [default: 0.0.0.0:4443]
    #[arg(long, value_name = "ADDR", global = true)]
    link: Option<String>,
    /// Listener of the embedded relay, which viewers open [default: 0.0.0.0:8080]
    #[arg(long, value_name = "ADDR", global = true)]
    relay_http: Option<String>,
    /// No embedded relay: viewers come to separate ones only
    #[arg(long, global = true, conflicts_with = "relay_http")]
    no_relay: bool,
    /// What viewers open, as in invite links [default: http://localhost:8080]
    #[arg(long, value_name = "URL", global = true)]
    public_url: Option<String>,
    /// File with the admin token, made on first start; SERVER_ADMIN_TOKEN holds the token itself [default: DATA_DIR/admin-token]
    #[arg(long, value_name = "FILE", global = true)]
    admin_token_file: Option<String>,
    /// Longest part in milliseconds, 100 to 1000: less is lower latency and more requests [default: 333]
    #[arg(long, value_name = "N", global = true)]
    part_ms: Option<String>,
    /// HOST:PORT under which relays reach the link, several with commas [default: host of the public URL, port of --link]
    #[arg(long, value_name = "HOST:PORT", global = true)]
    link_advertise: Option<String>,
    /// The ffmpeg that makes smaller qualities and slates, found on PATH if it is a bare name [default: ffmpeg]
    #[arg(long, value_name = "PATH", global = true)]
    ffmpeg: Option<String>,
    /// ffmpegs that make smaller qualities at once in all rooms together, 0 to 256; 0: none are made [default: two a core, one room's whole ladder at least]
    #[arg(long, value_name = "N", global = true)]
    max_encoders: Option<String>,
    /// Certificate chain (PEM): the HTTP listeners then speak TLS
    #[arg(long, value_name = "FILE", global = true)]
    tls_cert: Option<String>,
    /// Private key of the certificate (PEM)
    #[arg(long, value_name = "FILE", global = true)]
    tls_key: Option<String>,
    /// `text` or `json` [default: text]
    #[arg(long, value_name = "FORMAT", global = true)]
    log_format: Option<String>,
    /// Listener of /metrics, /healthz and /readyz [default: off]
    #[arg(long, value_name = "ADDR", global = true)]
    metrics: Option<String>,
}

/// Settings that were read and make sense together.
pub struct Config {
    pub data_dir: PathBuf,
    /// `None`: a file in the data folder.
    pub database_url: Option<String>,
    pub http: SocketAddr,
    pub rtmp: SocketAddr,
    pub rtmps: Option<SocketAddr>,
    pub link: SocketAddr,
    /// `None`: no embedded relay.
    pub relay_http: Option<SocketAddr>,
    pub public_url: PublicUrl,
    pub admin_token: AdminToken,
    pub part_target_ms: u32,
    /// HOST:PORT, in the order in which a relay tries them.
    pub link_advertise: Vec<String>,
    /// Looked for on PATH if it has no folder. That there is none is no error: rooms then have no ladder and no slate.
    pub ffmpeg: PathBuf,
    /// In all rooms together; 0: no ladder. `None`: as many as the cores allow.
    pub max_encoders: Option<usize>,
    pub tls: Option<TlsFiles>,
    pub log_format: LogFormat,
    pub metrics: Option<SocketAddr>,
}

/// Where the admin token comes from.
pub enum AdminToken {
    Given(String),
    File(PathBuf),
    /// A file in the data folder, made on the first start.
    DataDir,
}

pub struct TlsFiles {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

impl Config {
    /// Puts flags, environment and file together.
    ///
    /// # Errors
    /// A value cannot be read or makes no sense; the error names setting, value and cause.
    pub fn read(flags: &Flags) -> Result<Self, ExitError> {
        let file = Layers::read(&[CONFIG], None)?.get::<PathBuf>(&CONFIG, flags.config.as_deref())?;
        Self::from_layers(&Layers::read(&SETTINGS, file.as_deref())?, flags)
    }

    fn from_layers(layers: &Layers, flags: &Flags) -> Result<Self, ExitError> {
        let data_dir: PathBuf = layers.get_or(&DATA_DIR, flags.data_dir.as_deref(), "./data".into())?;
        let address = |setting, flag: &Option<String>, port| {
            layers.get_or(setting, flag.as_deref(), SocketAddr::new(ANYWHERE, port))
        };
        let link = address(&LINK, &flags.link, 4443)?;
        // A flag that names the listener beats a lower layer that switches it off.
        let no_relay = flags.relay_http.is_none() && layers.switch(&NO_RELAY, flags.no_relay)?;
        let relay_http = address(&RELAY_HTTP, &flags.relay_http, 8080)?;
        let default_url = "http://localhost:8080".parse().expect("the default is a URL");
        let public_url: PublicUrl = layers.get_or(&PUBLIC_URL, flags.public_url.as_deref(), default_url)?;
        let tls = tls(layers, flags)?;
        Ok(Self {
            database_url: database_url(layers, flags)?,
            http: address(&HTTP, &flags.http, 4000)?,
            rtmp: address(&RTMP, &flags.rtmp, 1935)?,
            rtmps: rtmps(layers, flags, tls.is_some())?,
            link,
            relay_http: (!no_relay).then_some(relay_http),
            admin_token: admin_token(layers, flags)?,
            part_target_ms: part_target_ms(layers, flags)?,
            link_advertise: link_advertise(layers, flags, public_url.host(), link.port())?,
            public_url,
            ffmpeg: layers.get_or(&FFMPEG, flags.ffmpeg.as_deref(), "ffmpeg".into())?,
            max_encoders: max_encoders(layers, flags)?,
            tls,
            log_format: layers.get_or(&LOG_FORMAT, flags.log_format.as_deref(), LogFormat::default())?,
            metrics: layers.get(&METRICS, flags.metrics.as_deref())?,
            data_dir,
        })
    }
}

fn database_url(layers: &Layers, flags: &Flags) -> Result<Option<String>, ExitError> {
    let flag = flags.database_url.as_deref();
    let url: Option<String> = layers.get(&DATABASE_URL, flag)?;
    let known = |url: &String| {
        ["sqlite:", "postgres:", "postgresql:"]
            .iter()
            .any(|scheme| url.starts_with(scheme))
    };
    if url.as_ref().is_none_or(known) {
        Ok(url)
    } else {
        Err(layers.refuse(&DATABASE_URL, flag, "must start with sqlite:// or postgres://"))
    }
}

fn admin_token(layers: &Layers, flags: &Flags) -> Result<AdminToken, ExitError> {
    // A flag beats the environment, here between two settings that say the same thing.
    if flags.admin_token_file.is_none()
        && let Some(token) = layers.get::<String>(&ADMIN_TOKEN, None)?
    {
        if token.trim().is_empty() {
            return Err(layers.refuse(&ADMIN_TOKEN, None, "must not be empty"));
        }
        return Ok(AdminToken::Given(token));
    }
    let file = layers.get(&ADMIN_TOKEN_FILE, flags.admin_token_file.as_deref())?;
    Ok(file.map_or(AdminToken::DataDir, AdminToken::File))
}

fn part_target_ms(layers: &Layers, flags: &Flags) -> Result<u32, ExitError> {
    let flag = flags.part_ms.as_deref();
    let part_ms = layers.get_or(&PART_MS, flag, 333)?;
    if PART_MS_RANGE.contains(&part_ms) {
        Ok(part_ms)
    } else {
        Err(layers.refuse(&PART_MS, flag, "must be 100 to 1000"))
    }
}

fn max_encoders(layers: &Layers, flags: &Flags) -> Result<Option<usize>, ExitError> {
    let flag = flags.max_encoders.as_deref();
    let most = layers.get(&MAX_ENCODERS, flag)?;
    if most.is_none_or(|most| MAX_ENCODERS_RANGE.contains(&most)) {
        Ok(most)
    } else {
        Err(layers.refuse(&MAX_ENCODERS, flag, "must be 0 to 256"))
    }
}

fn link_advertise(layers: &Layers, flags: &Flags, host: &str, port: u16) -> Result<Vec<String>, ExitError> {
    let flag = flags.link_advertise.as_deref();
    let text: String = layers.get_or(&LINK_ADVERTISE, flag, format!("{host}:{port}"))?;
    let addresses: Vec<String> = text.split(',').map(|address| address.trim().to_owned()).collect();
    // By the rules of the join tokens that will carry them.
    match JoinToken::new(addresses.clone(), [0; 32], JoinSecret::new([0; 32])) {
        Ok(_) => Ok(addresses),
        Err(cause) => Err(layers.refuse(&LINK_ADVERTISE, flag, cause)),
    }
}

fn rtmps(layers: &Layers, flags: &Flags, has_certificate: bool) -> Result<Option<SocketAddr>, ExitError> {
    let flag = flags.rtmps.as_deref();
    let address = layers.get(&RTMPS, flag)?;
    if address.is_some() && !has_certificate {
        return Err(layers.refuse(&RTMPS, flag, "needs --tls-cert and --tls-key"));
    }
    Ok(address)
}

fn tls(layers: &Layers, flags: &Flags) -> Result<Option<TlsFiles>, ExitError> {
    let certificate = layers.get(&TLS_CERT, flags.tls_cert.as_deref())?;
    let key = layers.get(&TLS_KEY, flags.tls_key.as_deref())?;
    match (certificate, key) {
        (None, None) => Ok(None),
        (Some(certificate), Some(key)) => Ok(Some(TlsFiles { certificate, key })),
        (Some(_), None) => Err(layers.refuse(&TLS_CERT, flags.tls_cert.as_deref(), "--tls-key is missing")),
        (None, Some(_)) => Err(layers.refuse(&TLS_KEY, flags.tls_key.as_deref(), "--tls-cert is missing")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(flags: &Flags, env: &[(&str, &str)], file: Option<&str>) -> Result<Config, ExitError> {
        let env = |name: &str| {
            env.iter()
                .find(|(known, _)| *known == name)
                .map(|(_, value)| (*value).to_owned())
        };
        let file = file.map(|text| (std::path::Path::new("origin.toml"), text));
        Config::from_layers(&Layers::new(&SETTINGS, env, file)?, flags)
    }

    fn refusal(env: &[(&str, &str)]) -> String {
        match read(&Flags::default(), env, None) {
            Ok(_) => panic!("{env:?} is accepted"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn without_any_setting_the_defaults_of_the_contract_hold() {
        let config = read(&Flags::default(), &[], None).unwrap();
        assert_eq!(config.http.to_string(), "0.0.0.0:4000");
        assert_eq!(config.rtmp.to_string(), "0.0.0.0:1935");
        assert_eq!(config.link.to_string(), "0.0.0.0:4443");
        assert_eq!(config.relay_http.unwrap().to_string(), "0.0.0.0:8080");
        assert_eq!(config.database_url, None);
        assert_eq!(config.public_url.as_str(), "http://localhost:8080");
        assert_eq!(config.link_advertise, ["localhost:4443"]);
        assert_eq!(config.part_target_ms, 333);
        assert_eq!(config.max_encoders, None);
    }

    #[test]
    fn as_many_encoders_as_wanted_may_work_and_none_too() {
        let most = |env: &[(&str, &str)], file| read(&Flags::default(), env, file).unwrap().max_encoders;
        assert_eq!(most(&[("STREAMCIRCLE_MAX_ENCODERS", "0")], None), Some(0));
        assert_eq!(most(&[("STREAMCIRCLE_MAX_ENCODERS", "256")], None), Some(256));
        assert_eq!(most(&[], Some("max-encoders = 3")), Some(3));
        assert!(refusal(&[("STREAMCIRCLE_MAX_ENCODERS", "257")]).contains("must be 0 to 256"));
        assert!(refusal(&[("STREAMCIRCLE_MAX_ENCODERS", "-1")]).contains("STREAMCIRCLE_MAX_ENCODERS"));
    }

    #[test]
    fn a_flag_beats_the_environment_which_beats_the_file() {
        let flags = Flags {
            http: Some("127.0.0.1:1".to_owned()),
            ..Flags::default()
        };
        let env = [
            ("STREAMCIRCLE_HTTP", "127.0.0.1:2"),
            ("STREAMCIRCLE_RTMP", "127.0.0.1:2"),
        ];
        let file = "http = '127.0.0.1:3'\nrtmp = '127.0.0.1:3'\nlink = '127.0.0.1:3'";
        let config = read(&flags, &env, Some(file)).unwrap();
        assert_eq!([config.http.port(), config.rtmp.port(), config.link.port()], [1, 2, 3]);
    }

    #[test]
    fn a_flag_that_names_the_relays_listener_beats_a_lower_layer_without_a_relay() {
        let file = Some("no-relay = true");
        assert!(read(&Flags::default(), &[], file).unwrap().relay_http.is_none());
        let named = Flags {
            relay_http: Some("127.0.0.1:1".to_owned()),
            ..Flags::default()
        };
        assert_eq!(read(&named, &[], file).unwrap().relay_http.unwrap().port(), 1);
        let none = Flags {
            no_relay: true,
            ..Flags::default()
        };
        let env = [("STREAMCIRCLE_RELAY_HTTP", "127.0.0.1:2")];
        assert!(read(&none, &env, None).unwrap().relay_http.is_none());
    }

    #[test]
    fn an_admin_token_may_be_short_but_not_empty() {
        let env = [("SERVER_ADMIN_TOKEN", "house")];
        let config = read(&Flags::default(), &env, None).unwrap();
        assert!(matches!(config.admin_token, AdminToken::Given(token) if token == "house"));
        assert!(refusal(&[("SERVER_ADMIN_TOKEN", " ")]).contains("must not be empty"));
    }

    #[test]
    fn the_advertised_address_follows_the_public_url_and_the_links_port() {
        let env = [
            ("STREAMCIRCLE_PUBLIC_URL", "https://watch.example.org/"),
            ("STREAMCIRCLE_LINK", "0.0.0.0:5000"),
        ];
        let config = read(&Flags::default(), &env, None).unwrap();
        assert_eq!(config.link_advertise, ["watch.example.org:5000"]);
        assert_eq!(config.public_url.as_str(), "https://watch.example.org");
    }

    #[test]
    fn a_value_without_sense_is_refused_with_its_name() {
        assert!(refusal(&[("STREAMCIRCLE_PART_MS", "50")]).contains("STREAMCIRCLE_PART_MS"));
        assert!(refusal(&[("STREAMCIRCLE_PUBLIC_URL", "watch.example.org")]).contains("STREAMCIRCLE_PUBLIC_URL"));
        assert!(refusal(&[("STREAMCIRCLE_LINK_ADVERTISE", "host")]).contains("HOST:PORT"));
        let nine = ["a:1"; 9].join(",");
        assert!(refusal(&[("STREAMCIRCLE_LINK_ADVERTISE", &nine)]).contains("1 to 8 addresses"));
        assert!(refusal(&[("STREAMCIRCLE_TLS_CERT", "cert.pem")]).contains("--tls-key is missing"));
        assert!(refusal(&[("STREAMCIRCLE_RTMPS", "0.0.0.0:1936")]).contains("needs --tls-cert"));
    }

    #[test]
    fn a_secret_is_not_shown_in_a_refusal() {
        assert!(!refusal(&[("DATABASE_URL", "mysql://me:hunter2@db")]).contains("hunter2"));
    }
}
