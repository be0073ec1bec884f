//! TLS for the listeners of HTTP and RTMP: a certificate chain and key from PEM files, read again when the files change.
//!
//! A connection keeps the configuration it was accepted with, so a new certificate drops nobody. The link's own TLS is in
//! [`crate::quic`].

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use rustls::{
    ServerConfig,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    version::{TLS12, TLS13},
};

use crate::shutdown::Shutdown;

/// How often the files are looked at.
pub const RELOAD_INTERVAL: Duration = Duration::from_secs(5);

/// The certificate or key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("{}: {cause}", path.display())]
    Read { path: PathBuf, cause: std::io::Error },
    #[error("{}: no certificate in PEM form: {cause}", path.display())]
    Certificate { path: PathBuf, cause: String },
    #[error("{}: no private key in PEM form: {cause}", path.display())]
    Key { path: PathBuf, cause: String },
    #[error("certificate and key do not serve together: {0}")]
    Pair(#[from] rustls::Error),
}

/// The configuration in force, shared by a listener and whoever reloads it.
#[derive(Clone)]
pub struct Tls {
    files: Arc<Files>,
    current: Arc<Mutex<Loaded>>,
}

struct Files {
    certificate: PathBuf,
    key: PathBuf,
}

struct Loaded {
    config: Arc<ServerConfig>,
    stamps: Stamps,
}

/// Changed when a file was written or replaced; `None` for a file that is not there.
type Stamps = [Option<(SystemTime, u64)>; 2];

impl Tls {
    /// Reads the files.
    ///
    /// # Errors
    /// A file is missing or holds something else, or the key is not the certificate's.
    pub fn load(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        let files = Files {
            certificate: certificate.to_owned(),
            key: key.to_owned(),
        };
        // The stamps before the content: a file written in between is then read once more, not missed.
        let stamps = files.stamps();
        let config = files.config()?;
        Ok(Self {
            files: Arc::new(files),
            current: Arc::new(Mutex::new(Loaded { config, stamps })),
        })
    }

    /// For the next connection.
    pub fn config(&self) -> Arc<ServerConfig> {
        let loaded = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        loaded.config.clone()
    }

    /// The same for a protocol that has no name in ALPN: a peer that names others is not turned away.
    pub fn config_without_alpn(&self) -> Arc<ServerConfig> {
        let mut config = ServerConfig::clone(&self.config());
        config.alpn_protocols.clear();
        Arc::new(config)
    }

    /// Looks at the files every `interval` until `shutdown` and takes over what changed; what cannot be used is logged and the
    /// old configuration stays in force.
    pub fn watch_files(&self, interval: Duration, shutdown: &Shutdown) {
        let tls = self.clone();
        let stop = shutdown.token().clone();
        shutdown.spawn(async move {
            let mut ticks = tokio::time::interval(interval);
            while stop.run_until_cancelled(ticks.tick()).await.is_some() {
                let tls = tls.clone();
                // Files may lie on a slow disk.
                let _ = tokio::task::spawn_blocking(move || tls.reload_if_changed()).await;
            }
        });
    }

    fn reload_if_changed(&self) {
        let stamps = self.files.stamps();
        {
            let mut loaded = self.current.lock().unwrap_or_else(PoisonError::into_inner);
            if loaded.stamps == stamps {
                return;
            }
            // Files that cannot be used are reported once, not at each look.
            loaded.stamps = stamps;
        }
        match self.files.config() {
            Ok(config) => {
                let mut loaded = self.current.lock().unwrap_or_else(PoisonError::into_inner);
                loaded.config = config;
                tracing::info!(certificate = %self.files.certificate.display(), "TLS certificate reloaded");
            }
            Err(error) => tracing::error!(%error, "new TLS files cannot be used, the old ones stay in force"),
        }
    }
}

impl Files {
    fn stamps(&self) -> Stamps {
        [&self.certificate, &self.key].map(|path| {
            let metadata = std::fs::metadata(path).ok()?;
            Some((metadata.modified().ok()?, metadata.len()))
        })
    }

    fn config(&self) -> Result<Arc<ServerConfig>, TlsError> {
        let chain = CertificateDer::pem_slice_iter(&read(&self.certificate)?)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|cause| self.bad_certificate(cause.to_string()))?;
        if chain.is_empty() {
            return Err(self.bad_certificate("the file holds none".to_owned()));
        }
        let key = PrivateKeyDer::from_pem_slice(&read(&self.key)?).map_err(|cause| TlsError::Key {
            path: self.key.clone(),
            cause: cause.to_string(),
        })?;
        let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_protocol_versions(&[&TLS13, &TLS12])?
            .with_no_client_auth()
            .with_single_cert(chain, key)?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }

    fn bad_certificate(&self, cause: String) -> TlsError {
        TlsError::Certificate {
            path: self.certificate.clone(),
            cause,
        }
    }
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    std::fs::read(path).map_err(|cause| TlsError::Read {
        path: path.to_owned(),
        cause,
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn write_pair(folder: &Path) {
        let pair = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        fs::write(folder.join("cert.pem"), pair.cert.pem()).unwrap();
        fs::write(folder.join("key.pem"), pair.signing_key.serialize_pem()).unwrap();
    }

    fn load(folder: &Path) -> Result<Tls, TlsError> {
        Tls::load(&folder.join("cert.pem"), &folder.join("key.pem"))
    }

    #[test]
    fn changed_files_are_taken_over_and_bad_ones_are_not() {
        let folder = tempfile::tempdir().unwrap();
        write_pair(folder.path());
        let tls = load(folder.path()).unwrap();
        let first = tls.config();
        tls.reload_if_changed();
        assert!(Arc::ptr_eq(&first, &tls.config()), "unchanged files are not read again");

        fs::write(folder.path().join("cert.pem"), "half a fi").unwrap();
        tls.reload_if_changed();
        assert!(
            Arc::ptr_eq(&first, &tls.config()),
            "bad files keep the old configuration"
        );

        write_pair(folder.path());
        tls.reload_if_changed();
        assert!(!Arc::ptr_eq(&first, &tls.config()), "good files are taken over");
    }

    #[test]
    fn errors_name_the_file_and_what_is_wrong_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let error = |folder: &Path| load(folder).err().unwrap().to_string();
        assert!(error(folder.path()).contains("cert.pem"));

        write_pair(folder.path());
        let key = folder.path().join("key.pem");
        let other = rcgen::KeyPair::generate().unwrap();
        fs::write(&key, other.serialize_pem()).unwrap();
        assert!(error(folder.path()).contains("do not serve together"));
        fs::write(&key, "no key").unwrap();
        assert!(error(folder.path()).contains("key.pem"));
    }
}
