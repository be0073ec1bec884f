//! What has to open before the origin can run or its tools can work: data folder, secrets and database. Each failure names the
//! setting that it comes from.

use std::{error::Error, path::Path};

use node::{clock, config::ExitError};

use crate::{
    config::{AdminToken, Config},
    control::{Addresses, Control, ControlConfig, ControlError, default_database_url},
    secrets::{SecretText, SecretsError, admin_token},
};

/// Opens data folder and database.
///
/// # Errors
/// One of them cannot be used.
pub async fn open_control(config: &Config) -> Result<Control, ExitError> {
    let admin_token = match &config.admin_token {
        AdminToken::Given(token) => admin_token::Source::Given(SecretText::new(token.clone())),
        AdminToken::File(path) => admin_token::Source::File(path.clone()),
        AdminToken::DataDir => admin_token::Source::DataDir,
    };
    let control = ControlConfig {
        data_dir: config.data_dir.clone(),
        database_url: config.database_url.clone(),
        admin_token,
        addresses: addresses(config),
    };
    let opened = Control::open(control, clock::unix_millis()).await;
    opened.map_err(|cause| named(config, &cause))
}

fn named(config: &Config, error: &ControlError) -> ExitError {
    match (error, &config.admin_token) {
        (ControlError::Db(cause), _) => {
            let url = shown_url(config.database_url.as_deref(), &config.data_dir);
            ExitError::failed("--database-url", url, chain(cause))
        }
        (ControlError::Secrets(SecretsError::AdminToken(cause)), AdminToken::File(path)) => {
            ExitError::failed("--admin-token-file", path.display(), chain(cause))
        }
        (ControlError::Secrets(SecretsError::AdminToken(cause)), AdminToken::Given(_)) => {
            ExitError::failed("SERVER_ADMIN_TOKEN", "(not shown)", chain(cause))
        }
        (ControlError::Secrets(cause), _) => ExitError::failed("--data-dir", config.data_dir.display(), chain(cause)),
    }
}

/// The URL of a file holds no password.
fn shown_url(url: Option<&str>, data_dir: &Path) -> String {
    match url {
        None => default_database_url(data_dir),
        Some(url) if url.starts_with("sqlite:") => url.to_owned(),
        Some(_) => "(not shown)".to_owned(),
    }
}

/// Where the outside finds this origin, as far as the settings say.
fn addresses(config: &Config) -> Addresses {
    let host = config.public_url.host();
    let scheme = if config.tls.is_some() { "https" } else { "http" };
    Addresses::new(
        config.public_url.as_str(),
        &format!("{scheme}://{host}:{}", config.http.port()),
        &format!("rtmp://{host}:{}/live", config.rtmp.port()),
    )
    .with_secure_ingest(config.rtmps.map(|at| format!("rtmps://{host}:{}/live", at.port())))
}

/// The error and its causes in one line. Some errors repeat the last one already.
pub(crate) fn chain(error: &(dyn Error + 'static)) -> String {
    let causes = std::iter::successors(error.source(), |cause| (*cause).source());
    causes.map(ToString::to_string).fold(error.to_string(), |said, cause| {
        if said.ends_with(&cause) {
            said
        } else {
            format!("{said}: {cause}")
        }
    })
}

#[cfg(test)]
mod tests {
    use crate::config::Flags;

    use super::*;

    async fn refusal(change: impl FnOnce(&mut Config)) -> (u8, String) {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config::read(&Flags::default()).unwrap();
        config.data_dir = folder.path().join("data");
        config.database_url = None;
        config.admin_token = AdminToken::DataDir;
        change(&mut config);
        match open_control(&config).await {
            Ok(_) => panic!("it opens"),
            Err(error) => (error.code(), error.to_string()),
        }
    }

    #[tokio::test]
    async fn a_database_that_cannot_be_reached_is_named_without_its_password() {
        let url = "postgres://operator:hunter2@127.0.0.1:1/rooms";
        let (code, text) = refusal(|config| config.database_url = Some(url.to_owned())).await;
        assert_eq!(code, 1);
        assert!(text.starts_with("--database-url \"(not shown)\": "), "{text}");
        assert!(
            text.contains("Connection refused") && !text.contains("hunter2"),
            "{text}"
        );
    }

    #[tokio::test]
    async fn a_database_file_that_cannot_be_made_is_named() {
        let url = "sqlite:///nowhere/at/all/rooms.db";
        let (code, text) = refusal(|config| config.database_url = Some(url.to_owned())).await;
        assert_eq!(code, 1);
        assert!(text.starts_with(&format!("--database-url \"{url}\": ")), "{text}");
    }

    #[tokio::test]
    async fn a_bad_admin_token_file_is_named() {
        let file = AdminToken::File("/nowhere/token".into());
        let (code, text) = refusal(|config| config.admin_token = file).await;
        assert_eq!(code, 1);
        assert!(text.starts_with("--admin-token-file \"/nowhere/token\": "), "{text}");
    }
}
