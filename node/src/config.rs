//! Settings of a daemon from three layers: a flag beats the environment, which beats the TOML file.
//!
//! A daemon names its settings once as [`Setting`]s and asks [`Layers`] for each value. All layers carry text until then, so one
//! parser and one form of error serve them all. What the settings mean is not known here.
//!
//! In the file a key is the flag's name, and a table's name joined with its key counts as one: `tls-cert`, `tls_cert` and
//! `cert` under `[tls]` all set `--tls-cert`. A key that is no setting is refused.

use std::{
    collections::BTreeMap,
    fmt::{self, Display},
    path::{Path, PathBuf},
    str::FromStr,
};

pub use crate::exit::{ExitError, parse_args};

/// Largest configuration file, in bytes.
const MAX_FILE_LEN: u64 = 1024 * 1024;

/// One thing that can be set.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// The flag without its dashes: `tls-cert`.
    pub name: &'static str,
    /// The environment variable, if there is one.
    pub env: Option<&'static str>,
    /// The value must not be shown in errors.
    pub secret: bool,
}

impl Setting {
    pub const fn new(name: &'static str, env: &'static str) -> Self {
        Self {
            name,
            env: Some(env),
            secret: false,
        }
    }

    pub const fn secret(name: &'static str, env: &'static str) -> Self {
        Self {
            name,
            env: Some(env),
            secret: true,
        }
    }

    pub const fn without_env(name: &'static str) -> Self {
        Self {
            name,
            env: None,
            secret: false,
        }
    }
}

/// The environment and the file of a daemon; flags are handed in with each question.
pub struct Layers {
    env: BTreeMap<&'static str, String>,
    file: BTreeMap<&'static str, String>,
    file_path: Option<PathBuf>,
}

impl Layers {
    /// Reads the process's environment and, if named, the file.
    ///
    /// # Errors
    /// The file cannot be read or is no TOML, or names something that is not in `settings`.
    pub fn read(settings: &[Setting], file: Option<&Path>) -> Result<Self, ExitError> {
        let env = |name: &str| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned());
        let text = file.map(read_file).transpose()?;
        Self::new(settings, env, file.zip(text.as_deref()))
    }

    /// As [`Layers::read`], from values at hand: an environment, and a file's path and text.
    ///
    /// # Errors
    /// As for [`Layers::read`].
    pub fn new(
        settings: &[Setting],
        env: impl Fn(&str) -> Option<String>,
        file: Option<(&Path, &str)>,
    ) -> Result<Self, ExitError> {
        let values = match file {
            Some((path, text)) => parse_file(settings, path, text)?,
            None => BTreeMap::new(),
        };
        let variables = settings.iter().filter_map(|setting| setting.env);
        Ok(Self {
            // An empty variable is how compose files and unit files write "not set".
            env: variables
                .filter_map(|name| Some((name, env(name).filter(|value| !value.is_empty())?)))
                .collect(),
            file: values,
            file_path: file.map(|(path, _)| path.to_owned()),
        })
    }

    /// The value of the highest layer that has one.
    ///
    /// # Errors
    /// That value cannot be read as a `T`; lower layers are not asked then.
    pub fn get<T>(&self, setting: &Setting, flag: Option<&str>) -> Result<Option<T>, ExitError>
    where
        T: FromStr<Err: Display>,
    {
        let Some((source, value)) = self.raw(setting, flag) else {
            return Ok(None);
        };
        match value.parse() {
            Ok(value) => Ok(Some(value)),
            Err(cause) => Err(ExitError::config(&source, shown(setting, value), cause)),
        }
    }

    /// [`Layers::get`], or the default.
    ///
    /// # Errors
    /// As for [`Layers::get`].
    pub fn get_or<T>(&self, setting: &Setting, flag: Option<&str>, default: T) -> Result<T, ExitError>
    where
        T: FromStr<Err: Display>,
    {
        Ok(self.get(setting, flag)?.unwrap_or(default))
    }

    /// A setting that is on or off: the flag has no value, the other layers say `true` or `false`.
    ///
    /// # Errors
    /// Another word stands there.
    pub fn switch(&self, setting: &Setting, flag: bool) -> Result<bool, ExitError> {
        self.get_or(setting, flag.then_some("true"), false)
    }

    /// The error for a value that was read, but cannot be used: names the layer that it came from.
    pub fn refuse(&self, setting: &Setting, flag: Option<&str>, cause: impl Display) -> ExitError {
        match self.raw(setting, flag) {
            Some((source, value)) => ExitError::config(&source, shown(setting, value), cause),
            None => ExitError::config(&format!("--{}", setting.name), "(not set)", cause),
        }
    }

    fn raw<'a>(&'a self, setting: &Setting, flag: Option<&'a str>) -> Option<(String, &'a str)> {
        if let Some(value) = flag {
            return Some((format!("--{}", setting.name), value));
        }
        if let Some((name, value)) = setting.env.and_then(|name| self.env.get_key_value(name)) {
            return Some(((*name).to_owned(), value));
        }
        let value = self.file.get(setting.name)?;
        let path = self.file_path.as_deref().unwrap_or(Path::new(""));
        Some((format!("{} in {}", setting.name, path.display()), value))
    }
}

/// Only names: values may be secrets.
impl fmt::Debug for Layers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Layers")
            .field("env", &self.env.keys())
            .field("file", &self.file.keys())
            .finish()
    }
}

fn shown<'a>(setting: &Setting, value: &'a str) -> &'a str {
    if setting.secret { "(not shown)" } else { value }
}

fn read_file(path: &Path) -> Result<String, ExitError> {
    let refuse = |cause: &dyn Display| ExitError::config("--config", path.display(), cause);
    let length = std::fs::metadata(path).map_err(|error| refuse(&error))?.len();
    if length > MAX_FILE_LEN {
        return Err(refuse(&format_args!("larger than {MAX_FILE_LEN} bytes")));
    }
    std::fs::read_to_string(path).map_err(|error| refuse(&error))
}

fn parse_file(settings: &[Setting], path: &Path, text: &str) -> Result<BTreeMap<&'static str, String>, ExitError> {
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
        // The message of the parser alone: its full text shows the line, and a line may hold a secret.
        let line = error.span().map_or(0, |span| text[..span.start].lines().count().max(1));
        ExitError::config(
            "--config",
            path.display(),
            format_args!("line {line}: {}", error.message()),
        )
    })?;
    let mut values = BTreeMap::new();
    let mut tables = vec![(String::new(), table)];
    while let Some((prefix, table)) = tables.pop() {
        for (key, value) in table {
            let written = if prefix.is_empty() {
                key
            } else {
                format!("{prefix}.{key}")
            };
            let name = written.replace(['.', '_'], "-");
            let refuse = |cause: &str| ExitError::config(&format!("{written} in {}", path.display()), "", cause);
            if let toml::Value::Table(inner) = value {
                tables.push((written, inner));
                continue;
            }
            let setting = settings.iter().find(|setting| setting.name == name);
            let setting = setting.ok_or_else(|| refuse("there is no such setting"))?;
            let text = plain_text(value).ok_or_else(|| refuse("must be a text, a number, true or false"))?;
            if values.insert(setting.name, text).is_some() {
                return Err(refuse("set twice"));
            }
        }
    }
    Ok(values)
}

/// What a flag's value would be; a list is written with commas.
fn plain_text(value: toml::Value) -> Option<String> {
    match value {
        toml::Value::String(text) => Some(text),
        toml::Value::Integer(number) => Some(number.to_string()),
        toml::Value::Float(number) => Some(number.to_string()),
        toml::Value::Boolean(on) => Some(on.to_string()),
        toml::Value::Array(items) => {
            let items: Option<Vec<String>> = items.into_iter().map(plain_text).collect();
            Some(items?.join(","))
        }
        toml::Value::Datetime(_) | toml::Value::Table(_) => None,
    }
}

/// A number of bytes: `1048576`, `64KiB`, `256 MiB`, `2GiB`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ByteSize(pub u64);

/// The text is no [`ByteSize`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a number of bytes, as in 1048576, 256MiB or 2GiB")]
pub struct InvalidByteSize;

impl FromStr for ByteSize {
    type Err = InvalidByteSize;

    fn from_str(text: &str) -> Result<Self, InvalidByteSize> {
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = text.split_at(digits);
        let factor: u64 = match unit.trim() {
            "" | "B" => 1,
            "KiB" => 1 << 10,
            "MiB" => 1 << 20,
            "GiB" => 1 << 30,
            _ => return Err(InvalidByteSize),
        };
        let number: u64 = number.parse().map_err(|_| InvalidByteSize)?;
        number.checked_mul(factor).map(Self).ok_or(InvalidByteSize)
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;

    const HTTP: Setting = Setting::new("http", "STREAMCIRCLE_HTTP");
    const CERT: Setting = Setting::new("tls-cert", "STREAMCIRCLE_TLS_CERT");
    const JOIN: Setting = Setting::secret("join", "STREAMCIRCLE_JOIN");
    const QUIET: Setting = Setting::without_env("quiet");
    const ALL: &[Setting] = &[HTTP, CERT, JOIN, QUIET];

    fn layers(env: &[(&str, &str)], file: Option<&str>) -> Result<Layers, ExitError> {
        let env = |name: &str| {
            env.iter()
                .find(|(n, _)| *n == name)
                .map(|(_, value)| (*value).to_owned())
        };
        Layers::new(ALL, env, file.map(|text| (Path::new("sc.toml"), text)))
    }

    fn http(layers: &Layers, flag: Option<&str>) -> Result<Option<SocketAddr>, ExitError> {
        layers.get(&HTTP, flag)
    }

    #[test]
    fn a_flag_beats_the_environment_which_beats_the_file() {
        let all = layers(&[("STREAMCIRCLE_HTTP", "127.0.0.1:2")], Some("http = '127.0.0.1:3'")).unwrap();
        assert_eq!(http(&all, Some("127.0.0.1:1")).unwrap().unwrap().port(), 1);
        assert_eq!(http(&all, None).unwrap().unwrap().port(), 2);
        let none = layers(&[], None).unwrap();
        assert_eq!(http(&none, None).unwrap(), None);
    }

    #[test]
    fn an_absent_flag_and_an_empty_variable_keep_the_file() {
        let layers = layers(&[("STREAMCIRCLE_HTTP", "")], Some("http = '127.0.0.1:3'\nquiet = true")).unwrap();
        assert_eq!(http(&layers, None).unwrap().unwrap().port(), 3);
        assert!(layers.switch(&QUIET, false).unwrap());
    }

    #[test]
    fn a_key_may_be_written_in_a_table_or_with_underscores() {
        for text in [
            "tls-cert = 'c.pem'",
            "tls_cert = 'c.pem'",
            "tls.cert = 'c.pem'",
            "[tls]\ncert = 'c.pem'",
        ] {
            let layers = layers(&[], Some(text)).unwrap();
            assert_eq!(
                layers.get::<String>(&CERT, None).unwrap().as_deref(),
                Some("c.pem"),
                "{text}"
            );
        }
        let error = layers(&[], Some("tls-cert = 'a'\ntls_cert = 'b'")).unwrap_err();
        assert!(error.to_string().contains("set twice"), "{error}");
    }

    #[test]
    fn an_error_names_setting_value_and_cause_in_one_line() {
        let file = layers(&[], Some("http = 'here'")).unwrap();
        let cases = [
            (http(&file, Some("there")).unwrap_err(), "--http \"there\""),
            (http(&file, None).unwrap_err(), "http in sc.toml \"here\""),
            (
                layers(&[], Some("a = 1")).unwrap_err(),
                "a in sc.toml: there is no such setting",
            ),
            (
                layers(&[], Some("http = 'x'\njoin = ")).unwrap_err(),
                "--config \"sc.toml\": line 2",
            ),
        ];
        for (error, start) in cases {
            let text = error.to_string();
            assert!(text.starts_with(start), "{text}");
            assert!(!text.contains('\n'), "{text}");
            assert_eq!(error.code(), 2);
        }
    }

    #[test]
    fn a_secret_value_is_never_shown() {
        let layers = layers(&[("STREAMCIRCLE_JOIN", "scj1.geheim")], None).unwrap();
        let error = layers.get::<u32>(&JOIN, None).unwrap_err().to_string();
        assert!(
            error.contains("STREAMCIRCLE_JOIN") && !error.contains("geheim"),
            "{error}"
        );
        assert!(!layers.refuse(&JOIN, None, "cut short").to_string().contains("geheim"));
        assert!(!format!("{layers:?}").contains("geheim"));
    }

    #[test]
    fn sizes_have_binary_units() {
        assert_eq!("256MiB".parse(), Ok(ByteSize(256 << 20)));
        assert_eq!("2 GiB".parse(), Ok(ByteSize(2 << 30)));
        assert_eq!("17".parse(), Ok(ByteSize(17)));
        for bad in ["", "MiB", "1.5GiB", "-1", "1MB", "99999999999GiB"] {
            assert_eq!(bad.parse::<ByteSize>(), Err(InvalidByteSize), "{bad}");
        }
    }
}
