//! A new relay's side of enrolment: trades the one-time secret of a join token for a certificate.

use std::time::Duration;

use common::{
    auth::join_token::JoinToken,
    wire::{
        LINK_VERSION,
        enrol::{EnrolReply, EnrolRequest, MAX_CHAIN_LEN},
    },
};
use rustls::pki_types::CertificateDer;

use crate::{
    link_driver::{self, CloseCode, Closed, ConnectError, HeadError},
    pki::{self, Identity, PkiError, RelayKey},
    quic::{self, Purpose},
};

/// For each of question and answer; the upstream looks into its database meanwhile.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The relay has no certificate. No variant shows anything of the join token.
#[derive(Debug, thiserror::Error)]
pub enum EnrolError {
    #[error(transparent)]
    Connect(#[from] ConnectError),
    #[error(transparent)]
    Key(#[from] PkiError),
    #[error("the join token was refused: {0}")]
    Refused(String),
    #[error("the upstream did not answer: {0}")]
    NoAnswer(HeadError),
    #[error("the upstream's answer makes no sense: {0}")]
    BadAnswer(&'static str),
}

/// Joins the first of the token's upstreams that answers, as `name`, serving viewers at `public_url`. The secret is used up
/// by it: keep the identity before anything else.
///
/// # Errors
/// See [`EnrolError`]; [`EnrolError::Refused`] is final for this token.
pub async fn enrol(token: &JoinToken, name: &str, public_url: &str) -> Result<Identity, EnrolError> {
    let key = RelayKey::generate()?;
    let request = EnrolRequest {
        version: LINK_VERSION,
        secret: token.secret().clone(),
        public_key: key.public_key(),
        name: name.to_owned(),
        public_url: public_url.to_owned(),
    };
    let config = quic::client_config(token.key_sha256(), Purpose::Enrol).map_err(ConnectError::from)?;
    let (connection, _) = link_driver::dial(token.addresses(), &config).await?;
    let reply = exchange(&connection, &request).await.map_err(|error| match error {
        HeadError::Closed(Closed {
            code: Some(CloseCode::NotAllowed | CloseCode::Version | CloseCode::Protocol),
            by_peer: true,
            reason,
        }) => EnrolError::Refused(reason),
        other => EnrolError::NoAnswer(other),
    })?;
    connection.close(CloseCode::Done.into(), b"");
    match reply {
        EnrolReply::Refused { reason } => Err(EnrolError::Refused(reason)),
        EnrolReply::Granted { relay_id, name, chain } => {
            let chain: Vec<_> = chain.into_iter().map(CertificateDer::from).collect();
            let own = chain.first().filter(|_| chain.len() <= MAX_CHAIN_LEN);
            let own = own.ok_or(EnrolError::BadAnswer("no certificate chain of sensible length"))?;
            if pki::relay_id(own).as_deref() != Some(relay_id.as_str()) {
                return Err(EnrolError::BadAnswer("the certificate is another relay's"));
            }
            Ok(Identity {
                relay_id,
                name,
                upstreams: token.addresses().to_vec(),
                authority_sha256: *token.key_sha256(),
                chain,
                key: key.into_private(),
            })
        }
    }
}

async fn exchange(connection: &quinn::Connection, request: &EnrolRequest) -> Result<EnrolReply, HeadError> {
    let (mut send, mut receive) = connection.open_bi().await.map_err(Closed::from)?;
    link_driver::write_head(&mut send, request, TIMEOUT).await?;
    link_driver::read_head(&mut receive, TIMEOUT).await
}
