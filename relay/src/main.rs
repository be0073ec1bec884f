//! The program `streamcircle-relay`.

use std::{io::Write, process::ExitCode, time::Duration};

use node::{
    config::{ExitError, parse_args},
    shutdown::Shutdown,
    telemetry,
};
use relay::{
    app::{self, Relay},
    config::{Args, Command, Config},
};

/// For blocking tasks that still run when all else has ended.
const RUNTIME_STOP: Duration = Duration::from_millis(500);

fn main() -> ExitCode {
    match start() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => error.report("streamcircle-relay"),
    }
}

fn start() -> Result<(), ExitError> {
    let args: Args = parse_args()?;
    let config = Config::read(&args.flags)?;
    if let Some(Command::CheckConfig) = args.command {
        app::load_tls(&config)?;
        let _ = writeln!(std::io::stdout(), "The settings are good.");
        return Ok(());
    }
    telemetry::init(config.log_format)?;
    let runtime = tokio::runtime::Runtime::new().map_err(|error| ExitError::failed("runtime", "", error))?;
    let ended = runtime.block_on(async {
        let shutdown = Shutdown::new();
        shutdown
            .trigger_on_signals()
            .map_err(|error| ExitError::failed("signals", "", error))?;
        let loaded = shutdown.token().run_until_cancelled(Relay::load(config)).await;
        match loaded.transpose()? {
            Some(relay) => relay.run(shutdown).await,
            // Told to stop before it had started.
            None => Ok(()),
        }
    });
    runtime.shutdown_timeout(RUNTIME_STOP);
    ended
}
