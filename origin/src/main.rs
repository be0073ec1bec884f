//! The program `streamcircle-origin`.

use std::{io::Write, process::ExitCode, time::Duration};

use node::{
    clock,
    config::{ExitError, parse_args},
    shutdown::Shutdown,
    telemetry,
};
use origin::{
    app::{self, Origin},
    cli::{Cli, Command},
    config::Config,
    opening::open_control,
    welcome,
};
use tokio::runtime::Runtime;

/// For blocking tasks that still run when all else has ended.
const RUNTIME_STOP: Duration = Duration::from_millis(500);

fn main() -> ExitCode {
    match start() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => error.report("streamcircle-origin"),
    }
}

fn start() -> Result<(), ExitError> {
    let cli: Cli = parse_args()?;
    let config = Config::read(&cli.flags)?;
    let runtime = Runtime::new().map_err(|error| ExitError::failed("runtime", "", error))?;
    let ended = match cli.command {
        None => {
            telemetry::init(config.log_format)?;
            runtime.block_on(serve(config))
        }
        Some(Command::CheckConfig) => app::load_tls(&config).map(|_| say("The settings are good.")),
        Some(Command::Welcome { publish_url }) => runtime.block_on(greet(&config, publish_url)),
        Some(Command::Hooks) => runtime.block_on(hooks(&config)),
    };
    runtime.shutdown_timeout(RUNTIME_STOP);
    ended
}

async fn serve(config: Config) -> Result<(), ExitError> {
    let shutdown = Shutdown::new();
    shutdown
        .trigger_on_signals()
        .map_err(|error| ExitError::failed("signals", "", error))?;
    let loaded = shutdown.token().run_until_cancelled(Origin::load(config)).await;
    match loaded.transpose()? {
        Some(origin) => origin.run(shutdown).await,
        // Told to stop before it had started.
        None => Ok(()),
    }
}

async fn greet(config: &Config, publish_url: bool) -> Result<(), ExitError> {
    app::ensure_running(config).await?;
    let control = open_control(config).await?;
    let told = if publish_url {
        control
            .publish_url()
            .await
            .map(|url| url.map(|url| url.expose().to_owned()))
    } else {
        control
            .welcome(clock::unix_millis())
            .await
            .map(|welcome| welcome.as_ref().map(welcome::text))
    };
    let told = told.map_err(|cause| ExitError::failed("welcome", "", cause))?;
    let told = told.ok_or_else(|| ExitError::failed("welcome", "", "there is no room; make one on the dashboard"))?;
    say(&told);
    Ok(())
}

async fn hooks(config: &Config) -> Result<(), ExitError> {
    let control = open_control(config).await?;
    let secret = control.secrets().hook_secret().expose();
    say(&welcome::hooks(config.http, config.tls.is_some(), secret));
    Ok(())
}

/// What was asked for goes to standard output; logs go to standard error.
fn say(text: &str) {
    // Nobody reads any more: nothing is left to be said.
    let _ = writeln!(std::io::stdout(), "{text}");
}
