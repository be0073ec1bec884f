use std::{net::SocketAddr, path::Path};

use axum::{Extension, routing::get};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;

fn app() -> Router {
    Router::new()
        .route("/", get(|| async { "hello" }))
        .route("/panic", get(panicking))
        .route(
            "/who",
            get(
                |Extension(Peer(peer)): Extension<Peer>, Extension(Secure(secure)): Extension<Secure>| async move {
                    format!("{} {secure}", peer.ip())
                },
            ),
        )
}

async fn panicking() -> &'static str {
    panic!("a fault of the handler")
}

async fn start(app: Router, tls: Option<Tls>, limits: Limits) -> (SocketAddr, Shutdown) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let shutdown = Shutdown::new();
    tokio::spawn(serve(listener, app, tls, limits, shutdown.clone()));
    (address, shutdown)
}

/// What the server says until it closes the connection.
async fn read_all(socket: &mut TcpStream) -> String {
    let mut text = Vec::new();
    let read = socket.read_to_end(&mut text);
    tokio::time::timeout(Duration::from_secs(5), read)
        .await
        .expect("the server closes")
        .ok();
    String::from_utf8(text).unwrap()
}

#[tokio::test]
async fn a_request_knows_its_peer_and_that_it_is_not_secure() {
    let (address, _shutdown) = start(app(), None, Limits::default()).await;
    let text = reqwest::get(format!("http://{address}/who"))
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert_eq!(text, "127.0.0.1 false");
}

#[tokio::test]
async fn a_panic_gives_500_and_hurts_nobody() {
    let (address, _shutdown) = start(app(), None, Limits::default()).await;
    let client = reqwest::Client::new();
    let answer = client.get(format!("http://{address}/panic")).send().await.unwrap();
    assert_eq!(answer.status(), 500);
    assert!(!answer.text().await.unwrap().contains("handler"));
    let answer = client.get(format!("http://{address}/")).send().await.unwrap();
    assert_eq!(answer.status(), 200);
}

#[tokio::test]
async fn a_head_that_comes_too_slowly_is_cut_off() {
    let limits = Limits {
        header_timeout: Duration::from_millis(100),
        ..Limits::default()
    };
    let (address, _shutdown) = start(app(), None, limits).await;
    let mut socket = TcpStream::connect(address).await.unwrap();
    socket
        .write_all(b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ")
        .await
        .unwrap();
    let text = read_all(&mut socket).await;
    assert!(!text.contains("hello"), "{text}");
}

#[tokio::test]
async fn an_address_has_only_so_many_connections() {
    let limits = Limits {
        max_per_address: 1,
        loopback_is_capped: true,
        ..Limits::default()
    };
    let (address, _shutdown) = start(app(), None, limits).await;
    let mut first = TcpStream::connect(address).await.unwrap();
    first.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let mut answer = [0; 15];
    first.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200 OK");

    let mut second = TcpStream::connect(address).await.unwrap();
    assert_eq!(read_all(&mut second).await, "");
    drop(first);
    // The place is free once the server has seen the first one's end.
    let retry = async {
        while reqwest::get(format!("http://{address}/")).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), retry).await.unwrap();
}

#[tokio::test]
async fn a_drain_lets_a_running_answer_finish_and_closes_silent_connections() {
    let (started, mut is_started) = tokio::sync::mpsc::channel::<()>(1);
    let release = CancellationToken::new();
    let slow = {
        let release = release.clone();
        get(move || {
            let (started, release) = (started.clone(), release.clone());
            async move {
                started.send(()).await.unwrap();
                release.cancelled().await;
                "done"
            }
        })
    };
    let (address, shutdown) = start(app().route("/slow", slow), None, Limits::default()).await;
    let mut silent = TcpStream::connect(address).await.unwrap();
    let asked = tokio::spawn(async move {
        reqwest::get(format!("http://{address}/slow"))
            .await
            .unwrap()
            .text()
            .await
    });
    is_started.recv().await.unwrap();

    shutdown.trigger();
    assert_eq!(read_all(&mut silent).await, "");
    assert!(TcpStream::connect(address).await.is_err(), "nobody new is taken");
    release.cancel();
    assert_eq!(asked.await.unwrap().unwrap(), "done");
    assert_eq!(shutdown.drain(Duration::from_secs(5)).await, 0);
}

#[tokio::test]
async fn a_peer_that_takes_nothing_is_cut_off() {
    let limits = Limits {
        write_timeout: Duration::from_millis(100),
        ..Limits::default()
    };
    let large = app().route("/large", get(|| async { vec![0_u8; 64 << 20] }));
    let (address, shutdown) = start(large, None, limits).await;
    let mut socket = TcpStream::connect(address).await.unwrap();
    socket
        .write_all(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    let mut first = [0; 15];
    socket.read_exact(&mut first).await.unwrap();
    // Without the time-out the drain would wait for this answer.
    shutdown.trigger();
    assert_eq!(shutdown.drain(Duration::from_secs(5)).await, 0);
}

mod over_tls {
    use super::*;

    fn certificate(folder: &Path) -> reqwest::Certificate {
        let pair = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        std::fs::write(folder.join("cert.pem"), pair.cert.pem()).unwrap();
        std::fs::write(folder.join("key.pem"), pair.signing_key.serialize_pem()).unwrap();
        reqwest::Certificate::from_pem(pair.cert.pem().as_bytes()).unwrap()
    }

    fn client(certificate: reqwest::Certificate, address: SocketAddr) -> reqwest::ClientBuilder {
        reqwest::Client::builder()
            .tls_certs_only([certificate])
            .resolve("localhost", address)
    }

    fn load(folder: &Path) -> Tls {
        Tls::load(&folder.join("cert.pem"), &folder.join("key.pem")).unwrap()
    }

    #[tokio::test]
    async fn the_version_is_agreed_by_alpn() {
        let folder = tempfile::tempdir().unwrap();
        let root = certificate(folder.path());
        let (address, _shutdown) = start(app(), Some(load(folder.path())), Limits::default()).await;
        let url = format!("https://localhost:{}/who", address.port());

        let answer = client(root.clone(), address)
            .build()
            .unwrap()
            .get(&url)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.version(), http::Version::HTTP_2);
        assert_eq!(answer.text().await.unwrap(), "127.0.0.1 true");

        let answer = client(root, address)
            .http1_only()
            .build()
            .unwrap()
            .get(&url)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.version(), http::Version::HTTP_11);
    }

    #[tokio::test]
    async fn a_new_certificate_drops_no_connection() {
        let folder = tempfile::tempdir().unwrap();
        let old_root = certificate(folder.path());
        let tls = load(folder.path());
        let (address, shutdown) = start(app(), Some(tls.clone()), Limits::default()).await;
        let url = format!("https://localhost:{}/", address.port());
        let old = client(old_root, address).build().unwrap();
        assert_eq!(old.get(&url).send().await.unwrap().status(), 200);

        let before = tls.config();
        let new_root = certificate(folder.path());
        tls.watch_files(Duration::from_millis(10), &shutdown);
        let reloaded = async {
            while Arc::ptr_eq(&before, &tls.config()) {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(5), reloaded).await.unwrap();

        let new = client(new_root, address).build().unwrap();
        assert_eq!(new.get(&url).send().await.unwrap().status(), 200);
        // The old client trusts the old certificate alone: its connection is still the first one.
        assert_eq!(old.get(&url).send().await.unwrap().status(), 200);
    }

    #[tokio::test]
    async fn a_handshake_that_does_not_come_and_an_idle_connection_are_closed() {
        let folder = tempfile::tempdir().unwrap();
        let root = certificate(folder.path());
        let limits = Limits {
            handshake_timeout: Duration::from_millis(100),
            idle_timeout: Duration::from_millis(100),
            ..Limits::default()
        };
        let (address, shutdown) = start(app(), Some(load(folder.path())), limits).await;
        let mut silent = TcpStream::connect(address).await.unwrap();
        assert_eq!(read_all(&mut silent).await, "");

        let client = client(root, address).build().unwrap();
        let url = format!("https://localhost:{}/", address.port());
        assert_eq!(client.get(&url).send().await.unwrap().status(), 200);
        let closed = async {
            // One task accepts files' changes at most: none here, so only connections are counted.
            while shutdown.drain(Duration::ZERO).await > 0 {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(5), closed).await.unwrap();
    }
}

#[tokio::test]
async fn an_upgraded_connection_outlives_the_limits_of_requests_and_holds_its_slot() {
    let echo = |mut request: Request<Body>| async move {
        let upgrade = hyper::upgrade::on(&mut request);
        tokio::spawn(async move {
            let mut io = TokioIo::new(upgrade.await.unwrap());
            let mut byte = [0];
            while io.read_exact(&mut byte).await.is_ok() {
                io.write_all(&byte).await.unwrap();
            }
        });
        let headers = [(header::CONNECTION, "upgrade"), (header::UPGRADE, "echo")];
        (StatusCode::SWITCHING_PROTOCOLS, headers).into_response()
    };
    let short = Duration::from_millis(50);
    let limits = Limits {
        header_timeout: short,
        idle_timeout: short,
        write_timeout: short,
        max_connections: 1,
        ..Limits::default()
    };
    let (address, _shutdown) = start(Router::new().route("/", get(echo)), None, limits).await;
    let mut socket = TcpStream::connect(address).await.unwrap();
    let head = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n";
    socket.write_all(head).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        answer.push(socket.read_u8().await.unwrap());
    }
    // Silence is what is tested here.
    tokio::time::sleep(6 * short).await;
    socket.write_all(b"x").await.unwrap();
    assert_eq!(socket.read_u8().await.unwrap(), b'x');
    assert_eq!(read_all(&mut TcpStream::connect(address).await.unwrap()).await, "");
}
