//! How a daemon ends: 0 stopped as asked, 1 failed to start or while running, 2 bad arguments or configuration; with one line that
//! names the setting, the value and the cause.

use std::{fmt::Display, io::Write, process::ExitCode};

use clap::error::ErrorKind;

/// Why a daemon cannot start or go on, as one line, and its exit code.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct ExitError {
    code: u8,
    message: String,
}

impl ExitError {
    /// Bad arguments or configuration: code 2. An empty `value` is left out.
    pub fn config(setting: &str, value: impl Display, cause: impl Display) -> Self {
        Self::new(2, setting, &value.to_string(), &cause.to_string())
    }

    /// The configuration reads well, but the machine does not go along (port in use, folder not writable): code 1.
    pub fn failed(setting: &str, value: impl Display, cause: impl Display) -> Self {
        Self::new(1, setting, &value.to_string(), &cause.to_string())
    }

    fn new(code: u8, setting: &str, value: &str, cause: &str) -> Self {
        let message = match value {
            "" => format!("{setting}: {cause}"),
            _ => format!("{setting} \"{value}\": {cause}"),
        };
        Self {
            code,
            message: one_line(&message),
        }
    }

    /// The process's exit code.
    pub fn code(&self) -> u8 {
        self.code
    }

    /// Writes the line to standard error and gives the exit code, for the end of `main`.
    pub fn report(&self, program: &str) -> ExitCode {
        // Nobody can be told when standard error is closed.
        let _ = writeln!(std::io::stderr(), "{program}: {self}");
        ExitCode::from(self.code)
    }
}

/// Reads the command line. `--help` and `--version` are answered here and end the process with 0.
///
/// # Errors
/// An argument is unknown, missing or unreadable: clap's text in one line.
pub fn parse_args<P: clap::Parser>() -> Result<P, ExitError> {
    P::try_parse().map_err(|error| match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => error.exit(),
        _ => argument_error(&error),
    })
}

fn argument_error(error: &clap::Error) -> ExitError {
    let text = error.render().to_string();
    // The first paragraph says what is wrong; usage and hints follow.
    let first = text.split("\n\n").next().unwrap_or_default();
    ExitError {
        code: 2,
        message: one_line(first.trim_start_matches("error: ")),
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Args {
        #[arg(long)]
        http: Option<String>,
    }

    #[test]
    fn a_wrong_argument_is_named_in_one_line() {
        for (args, named) in [(["x", "--htpp=1"], "--htpp"), (["x", "--http"], "--http")] {
            let error = argument_error(&Args::try_parse_from(args).unwrap_err());
            let text = error.to_string();
            assert!(text.contains(named) && !text.contains('\n'), "{text}");
            assert_eq!(error.code(), 2);
        }
        assert_eq!(
            Args::try_parse_from(["x", "--http=a"]).unwrap().http.as_deref(),
            Some("a")
        );
    }

    #[test]
    fn an_error_of_the_machine_has_code_one() {
        let error = ExitError::failed("--http", "0.0.0.0:80", "address\nin use");
        assert_eq!(error.to_string(), "--http \"0.0.0.0:80\": address in use");
        assert_eq!(error.code(), 1);
    }
}
