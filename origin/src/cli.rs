//! The command line of the origin.

use clap::{Parser, Subcommand};

use crate::config::Flags;

/// Takes a stream over RTMP, packages it, and feeds the relays that viewers watch at.
#[derive(Debug, Parser)]
#[command(name = "streamcircle-origin", version, after_help = AFTER_HELP)]
pub struct Cli {
    #[command(flatten)]
    pub flags: Flags,
    #[command(subcommand)]
    pub command: Option<Command>,
}

const AFTER_HELP: &str = "Each setting is a flag, an environment variable STREAMCIRCLE_… and a key of the TOML file; a flag beats the \
environment, which beats the file. Logs go to standard error; STREAMCIRCLE_LOG filters them, as in STREAMCIRCLE_LOG=debug.";

/// What to do instead of running.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Print OBS settings, an invite link with its QR code and a sign-in link of the running origin
    Welcome {
        /// Only the URL that an encoder publishes to, key and all
        #[arg(long)]
        publish_url: bool,
    },
    /// Print the secret and the URLs for nginx-rtmp's hooks
    Hooks,
    /// Check the settings and say what is wrong with them
    CheckConfig,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_holds_together() {
        Cli::command().debug_assert();
    }
}
