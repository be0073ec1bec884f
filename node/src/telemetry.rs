//! Logs to standard error, as text or as JSON lines.
//!
//! What is logged is chosen by `STREAMCIRCLE_LOG` in the form of `RUST_LOG`, as in `info,relay=debug`. No log line may hold a
//! token, a key or a URL with its query: that is up to whoever writes it.

use std::{io::IsTerminal, str::FromStr};

use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt, util::SubscriberInitExt};

use crate::exit::ExitError;

/// Environment variable of the filter.
pub const FILTER_VARIABLE: &str = "STREAMCIRCLE_LOG";

/// What is logged when nothing was asked for.
const DEFAULT_FILTER: &str = "info";

/// How a log line is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    #[default]
    Text,
    Json,
}

/// The text is no [`LogFormat`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be text or json")]
pub struct InvalidLogFormat;

impl FromStr for LogFormat {
    type Err = InvalidLogFormat;

    fn from_str(text: &str) -> Result<Self, InvalidLogFormat> {
        match text {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err(InvalidLogFormat),
        }
    }
}

/// Starts logging for the whole process; a second call changes nothing.
///
/// # Errors
/// The filter cannot be read.
pub fn init(format: LogFormat) -> Result<(), ExitError> {
    let wanted = std::env::var(FILTER_VARIABLE).ok().filter(|text| !text.is_empty());
    let wanted = wanted.as_deref().unwrap_or(DEFAULT_FILTER);
    let filter = EnvFilter::try_new(wanted).map_err(|error| ExitError::config(FILTER_VARIABLE, wanted, error))?;
    let registry = tracing_subscriber::registry().with(filter);
    let lines = fmt::layer().with_writer(std::io::stderr);
    // An error says that logging stands already, as when an origin embeds a relay.
    let _ = match format {
        LogFormat::Text => registry
            .with(lines.with_ansi(std::io::stderr().is_terminal()))
            .try_init(),
        LogFormat::Json => registry.with(lines.json().flatten_event(true)).try_init(),
    };
    Ok(())
}
