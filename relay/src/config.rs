//! What a relay can be told: its flags, the variables and keys that say the same, and the defaults.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use clap::{Parser, Subcommand};
use common::auth::join_token::JoinToken;
use node::{
    config::{ByteSize, ExitError, Layers, Setting},
    public_url::PublicUrl,
    telemetry::LogFormat,
};

const CONFIG: Setting = Setting::new("config", "STREAMCIRCLE_CONFIG");
const JOIN: Setting = Setting::secret("join", "STREAMCIRCLE_JOIN");
const DATA_DIR: Setting = Setting::new("data-dir", "STREAMCIRCLE_DATA_DIR");
const HTTP: Setting = Setting::new("http", "STREAMCIRCLE_HTTP");
const PUBLIC_URL: Setting = Setting::new("public-url", "STREAMCIRCLE_PUBLIC_URL");
const NAME: Setting = Setting::new("name", "STREAMCIRCLE_NAME");
const LINK: Setting = Setting::new("link", "STREAMCIRCLE_LINK");
const CACHE_BYTES: Setting = Setting::new("cache-bytes", "STREAMCIRCLE_CACHE_BYTES");
const TLS_CERT: Setting = Setting::new("tls-cert", "STREAMCIRCLE_TLS_CERT");
const TLS_KEY: Setting = Setting::new("tls-key", "STREAMCIRCLE_TLS_KEY");
const LOG_FORMAT: Setting = Setting::new("log-format", "STREAMCIRCLE_LOG_FORMAT");
const METRICS: Setting = Setting::new("metrics", "STREAMCIRCLE_METRICS");

const SETTINGS: &[Setting] = &[
    JOIN,
    DATA_DIR,
    HTTP,
    PUBLIC_URL,
    NAME,
    CACHE_BYTES,
    LINK,
    TLS_CERT,
    TLS_KEY,
    LOG_FORMAT,
    METRICS,
];

const DEFAULT_DATA_DIR: &str = "./relay-data";
const DEFAULT_HTTP: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED), 8080);
const DEFAULT_PUBLIC_URL: &str = "http://localhost:8080";
const DEFAULT_CACHE: ByteSize = ByteSize(256 << 20);
/// Longest name, in characters; it stands in the dashboard's table.
const MAX_NAME_LEN: usize = 64;
/// Where Linux tells the host name.
const HOST_NAME_FILE: &str = "/proc/sys/kernel/hostname";

/// Serves the viewers of a StreamCircle: mirrors the live rooms that they watch.
///
/// A relay joins an origin with the token that "Add relay" in its dashboard gives. It needs no open port towards the origin.
#[derive(Parser)]
#[command(
    name = "streamcircle-relay",
    version,
    after_help = "Each setting may also stand in the environment variable named with it, or in the file under the flag's name \
        (tls-cert, or cert under [tls]). A flag beats the environment, which beats the file. What is logged: STREAMCIRCLE_LOG, \
        as in 'info,relay=debug'."
)]
pub struct Args {
    #[command(flatten)]
    pub flags: Flags,
    #[command(subcommand)]
    pub command: Option<Command>,
}

#[derive(Subcommand)]
pub enum Command {
    /// Read all settings and the files they name, say whether they are good, and stop
    CheckConfig,
}

/// Text as it was typed: all layers are read by the same rules.
#[derive(clap::Args, Default)]
pub struct Flags {
    /// TOML file with settings [STREAMCIRCLE_CONFIG]
    #[arg(long, value_name = "FILE", global = true)]
    pub config: Option<String>,
    /// Join token, needed at the first start; afterwards the identity in the data folder serves [STREAMCIRCLE_JOIN]
    #[arg(long, value_name = "TOKEN", global = true)]
    pub join: Option<String>,
    /// Folder of this relay's identity [STREAMCIRCLE_DATA_DIR, default ./relay-data]
    #[arg(long, value_name = "DIR", global = true)]
    pub data_dir: Option<String>,
    /// Address to serve viewers on [STREAMCIRCLE_HTTP, default 0.0.0.0:8080]
    #[arg(long, value_name = "ADDR", global = true)]
    pub http: Option<String>,
    /// Address under which viewers reach this relay [STREAMCIRCLE_PUBLIC_URL, default http://localhost:8080]
    #[arg(long, value_name = "URL", global = true)]
    pub public_url: Option<String>,
    /// Name of this relay in the dashboard [STREAMCIRCLE_NAME, default the host name]
    #[arg(long, value_name = "NAME", global = true)]
    pub name: Option<String>,
    /// Memory for media of the past, as in 256MiB [STREAMCIRCLE_CACHE_BYTES, default 256MiB]
    #[arg(long, value_name = "N", global = true)]
    pub cache_bytes: Option<String>,
    /// Address to serve other relays on; not built yet [STREAMCIRCLE_LINK]
    #[arg(long, value_name = "ADDR", global = true)]
    pub link: Option<String>,
    /// Certificate chain, PEM: serve viewers over TLS, with --tls-key [STREAMCIRCLE_TLS_CERT]
    #[arg(long, value_name = "FILE", global = true)]
    pub tls_cert: Option<String>,
    /// Private key of the certificate, PEM [STREAMCIRCLE_TLS_KEY]
    #[arg(long, value_name = "FILE", global = true)]
    pub tls_key: Option<String>,
    /// How log lines are written: text or json [STREAMCIRCLE_LOG_FORMAT, default text]
    #[arg(long, value_name = "FORMAT", global = true)]
    pub log_format: Option<String>,
    /// Address for /metrics, /healthz and /readyz; off by default [STREAMCIRCLE_METRICS]
    #[arg(long, value_name = "ADDR", global = true)]
    pub metrics: Option<String>,
}

/// All settings of a relay, read and in range.
pub struct Config {
    pub join: Option<JoinToken>,
    pub data_dir: PathBuf,
    pub http: SocketAddr,
    pub public_url: PublicUrl,
    pub name: String,
    pub cache_bytes: u64,
    pub tls: Option<TlsFiles>,
    pub log_format: LogFormat,
    pub metrics: Option<SocketAddr>,
}

/// Certificate and key: both or neither.
#[derive(Debug)]
pub struct TlsFiles {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

impl Config {
    /// Reads all layers.
    ///
    /// # Errors
    /// The first setting that cannot be read, is out of range, or lacks its partner.
    pub fn read(flags: &Flags) -> Result<Self, ExitError> {
        let named = Layers::read(&[CONFIG], None)?.get::<String>(&CONFIG, flags.config.as_deref())?;
        let layers = Layers::read(SETTINGS, named.as_deref().map(Path::new))?;
        Self::from_layers(flags, &layers)
    }

    fn from_layers(flags: &Flags, layers: &Layers) -> Result<Self, ExitError> {
        let join = layers.get::<String>(&JOIN, flags.join.as_deref())?;
        let join = join
            .map(|text| JoinToken::decode(&text).map_err(|cause| layers.refuse(&JOIN, flags.join.as_deref(), cause)));
        refuse_link(flags, layers)?;
        let public_url = DEFAULT_PUBLIC_URL.parse().expect("the default is a URL");
        Ok(Self {
            join: join.transpose()?,
            data_dir: layers.get_or(&DATA_DIR, flags.data_dir.as_deref(), DEFAULT_DATA_DIR.into())?,
            http: layers.get_or(&HTTP, flags.http.as_deref(), DEFAULT_HTTP)?,
            public_url: layers.get_or(&PUBLIC_URL, flags.public_url.as_deref(), public_url)?,
            name: name(flags, layers)?,
            cache_bytes: layers
                .get_or(&CACHE_BYTES, flags.cache_bytes.as_deref(), DEFAULT_CACHE)?
                .0,
            tls: tls(flags, layers)?,
            log_format: layers.get_or(&LOG_FORMAT, flags.log_format.as_deref(), LogFormat::default())?,
            metrics: layers.get(&METRICS, flags.metrics.as_deref())?,
        })
    }
}

/// The setting has its name already, but whoever counts on it must not find out by relays that never come.
fn refuse_link(flags: &Flags, layers: &Layers) -> Result<(), ExitError> {
    let flag = flags.link.as_deref();
    match layers.get::<String>(&LINK, flag)? {
        None => Ok(()),
        Some(_) => Err(layers.refuse(&LINK, flag, "this version does not serve other relays yet")),
    }
}

fn name(flags: &Flags, layers: &Layers) -> Result<String, ExitError> {
    let flag = flags.name.as_deref();
    let Some(name) = layers.get::<String>(&NAME, flag)? else {
        return Ok(host_name());
    };
    let is_plain = !name.chars().any(char::is_control) && name.trim() == name;
    if is_plain && (1..=MAX_NAME_LEN).contains(&name.chars().count()) {
        Ok(name)
    } else {
        let cause = format_args!("must be 1 to {MAX_NAME_LEN} plain characters");
        Err(layers.refuse(&NAME, flag, cause))
    }
}

fn host_name() -> String {
    let text = std::fs::read_to_string(HOST_NAME_FILE).unwrap_or_default();
    match text.trim() {
        "" => "relay".to_owned(),
        name => name.chars().take(MAX_NAME_LEN).collect(),
    }
}

fn tls(flags: &Flags, layers: &Layers) -> Result<Option<TlsFiles>, ExitError> {
    let (cert_flag, key_flag) = (flags.tls_cert.as_deref(), flags.tls_key.as_deref());
    let certificate = layers.get::<PathBuf>(&TLS_CERT, cert_flag)?;
    match (certificate, layers.get::<PathBuf>(&TLS_KEY, key_flag)?) {
        (Some(certificate), Some(key)) => Ok(Some(TlsFiles { certificate, key })),
        (None, None) => Ok(None),
        (Some(_), None) => Err(layers.refuse(&TLS_CERT, cert_flag, "needs --tls-key with it")),
        (None, Some(_)) => Err(layers.refuse(&TLS_KEY, key_flag, "needs --tls-cert with it")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(args: &[&str], file: &str) -> Result<Config, ExitError> {
        let args = Args::try_parse_from([&["streamcircle-relay"], args].concat())
            .ok()
            .unwrap();
        let layers = Layers::new(SETTINGS, |_| None, Some((Path::new("relay.toml"), file)))?;
        Config::from_layers(&args.flags, &layers)
    }

    #[test]
    fn nothing_said_gives_the_documented_defaults() {
        let config = read(&[], "").ok().unwrap();
        assert_eq!(config.data_dir, Path::new("./relay-data"));
        assert_eq!(config.http.to_string(), "0.0.0.0:8080");
        assert_eq!(config.public_url.as_str(), "http://localhost:8080");
        assert_eq!(config.cache_bytes, 268_435_456);
        assert!(config.join.is_none() && config.tls.is_none() && config.metrics.is_none());
        assert!(!config.name.is_empty());
    }

    #[test]
    fn a_flag_beats_the_file_and_an_absent_one_keeps_it() {
        let file = "name = 'north'\ncache-bytes = '1GiB'\nhttp = '127.0.0.1:1'\n[tls]\ncert = 'c'\nkey = 'k'";
        let config = read(&["--http", "127.0.0.1:2"], file).ok().unwrap();
        assert_eq!(config.http.port(), 2);
        assert_eq!((config.name.as_str(), config.cache_bytes), ("north", 1 << 30));
        assert_eq!(config.tls.unwrap().key, Path::new("k"));
    }

    #[test]
    fn a_bad_setting_is_named_with_its_value_and_cause() {
        for (args, expected) in [
            (["--http", "8080"], "--http \"8080\": invalid socket address syntax"),
            (["--public-url", "x"], "--public-url \"x\": not a URL"),
            (
                ["--cache-bytes", "lots"],
                "--cache-bytes \"lots\": not a number of bytes",
            ),
            (["--name", " "], "--name \" \": must be 1 to 64 plain characters"),
            (["--tls-cert", "c.pem"], "--tls-cert \"c.pem\": needs --tls-key with it"),
            (
                ["--link", "0.0.0.0:4443"],
                "--link \"0.0.0.0:4443\": this version does not serve other relays yet",
            ),
            (["--log-format", "xml"], "--log-format \"xml\": must be text or json"),
        ] {
            let error = read(&args, "").err().unwrap();
            assert!(error.to_string().starts_with(expected), "{error}");
            assert_eq!(error.code(), 2);
        }
    }

    #[test]
    fn a_link_of_its_own_is_refused_in_the_file_too() {
        let error = read(&[], "link = '0.0.0.0:4443'").err().unwrap();
        assert!(error.to_string().contains("does not serve other relays yet"), "{error}");
        assert_eq!(error.code(), 2);
    }

    #[test]
    fn a_garbage_join_token_is_refused_without_being_shown() {
        let error = read(&["--join", "scj1.geheim"], "").err().unwrap();
        assert!(
            error
                .to_string()
                .starts_with("--join \"(not shown)\": the join token is damaged"),
            "{error}"
        );
        assert!(!error.to_string().contains("geheim"));
        assert_eq!(error.code(), 2);
    }

    #[test]
    fn settings_may_stand_behind_the_command() {
        let args = Args::try_parse_from(["streamcircle-relay", "check-config", "--http", "127.0.0.1:1"])
            .ok()
            .unwrap();
        assert!(matches!(args.command, Some(Command::CheckConfig)));
        assert_eq!(args.flags.http.as_deref(), Some("127.0.0.1:1"));
    }
}
