use std::{net::Ipv4Addr, thread, time::Duration};

use quinn::ConnectionError;
use tokio::{runtime::Builder, sync::oneshot};

use super::*;
use crate::pki::{RelayKey, SERVER_NAME};

const PATIENCE: Duration = Duration::from_secs(1);

/// An origin that lets one relay in and then dies without a word.
struct Doomed {
    address: SocketAddr,
    die: oneshot::Sender<()>,
    thread: thread::JoinHandle<()>,
}

impl Doomed {
    async fn start(authority: Arc<Authority>) -> Self {
        let (listening, address) = oneshot::channel();
        let (die, dying) = oneshot::channel();
        let thread = thread::spawn(move || {
            let process = Builder::new_current_thread().enable_all().build().unwrap();
            let kept = process.block_on(async move {
                let endpoint = listen(&authority, (Ipv4Addr::LOCALHOST, 0).into()).unwrap();
                listening.send(endpoint.local_addr().unwrap()).unwrap();
                let relay = take_up(endpoint.accept().await.unwrap(), 0).unwrap().await.unwrap();
                dying.await.unwrap();
                (endpoint, relay)
            });
            // The tasks first, for they are what says goodbye when the handles go.
            drop(process);
            drop(kept);
        });
        Self {
            address: address.await.unwrap(),
            die,
            thread,
        }
    }

    /// Its port is free then.
    fn die(self) {
        self.die.send(()).unwrap();
        self.thread.join().unwrap();
    }
}

fn relay_config(authority: &Authority) -> quinn::ClientConfig {
    let key = RelayKey::generate().unwrap();
    let identity = Identity {
        relay_id: "r1".to_owned(),
        name: "paris".to_owned(),
        upstreams: Vec::new(),
        authority_sha256: *authority.key_sha256(),
        chain: authority.sign_relay("r1", key.public_key()).unwrap(),
        key: key.into_private(),
    };
    client_config(authority.key_sha256(), Purpose::Link(&identity)).unwrap()
}

/// How a relay's connection ends when its origin died, another one listens in its place, and the relay sends something.
async fn ended_by_the_next(first: Authority, next: &Authority) -> Option<ConnectionError> {
    let config = relay_config(&first);
    let origin = Doomed::start(Arc::new(first)).await;
    let address = origin.address;
    let relay = quinn::Endpoint::client((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let connection = relay.connect_with(config, address, SERVER_NAME).unwrap().await.unwrap();
    origin.die();

    let _next = listen(next, address).unwrap();
    let (mut frames, _answers) = connection.open_bi().await.unwrap();
    frames.write_all(b"is anybody there?").await.unwrap();
    tokio::time::timeout(PATIENCE, connection.closed()).await.ok()
}

#[tokio::test]
async fn an_origin_that_died_and_is_back_tells_the_relay_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let first = Authority::open(folder.path()).unwrap();
    let next = Authority::open(folder.path()).unwrap();
    assert_eq!(ended_by_the_next(first, &next).await, Some(ConnectionError::Reset));
}

#[tokio::test]
async fn another_origin_in_its_place_cannot_reset_the_relays_connection() {
    let first = Authority::generate().unwrap();
    let next = Authority::generate().unwrap();
    assert_eq!(ended_by_the_next(first, &next).await, None);
}
