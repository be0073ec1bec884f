//! The ingest behind Debian's nginx-rtmp: as a plain push, and in front of a whole origin with the configurations in `infra/nginx-rtmp`.

#![allow(clippy::unwrap_used, reason = "only tests use it")]

mod rtmp_support;

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use common::media::access_unit::{Codec, MediaMessage};
use node::shutdown::Shutdown;
use origin::{
    app::Origin,
    config::{AdminToken, Config, Flags, TlsFiles},
    welcome,
};
use rtmp_support::{KEY, PATIENCE, Seen, Server};
use serde_json::Value;
use tokio::{
    net::TcpStream,
    process::{Child, Command},
    task::JoinHandle,
};

const ADMIN_TOKEN: &str = "sa_operator";
/// A room that its publisher left on purpose is closed by then.
const AFTER_A_STOP: Duration = Duration::from_secs(6);
/// nginx dials again 3 s after a push was cut, so a cut shows for that long.
const A_CUT_WOULD_SHOW: Duration = Duration::from_secs(2);
/// Where nginx writes what it served unless it is told not to.
const ACCESS_LOG: &str = "/var/log/nginx/access.log";

/// Free a moment ago, which is as good as it gets with programs that cannot be told port 0.
fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

fn local(port: u16) -> SocketAddr {
    SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port)
}

/// A running nginx; answers when its RTMP listener does.
async fn nginx(home: &Path, configuration: &str, port: u16) -> Child {
    let file = home.join("nginx.conf");
    std::fs::write(&file, configuration).unwrap();
    let mut nginx = Command::new("nginx");
    nginx.arg("-p").arg(home).arg("-c").arg(&file).args(["-e", "error.log"]);
    let pid = home.join("pid").display().to_string();
    nginx.args(["-g", &format!("daemon off; master_process off; pid {pid};")]);
    let running = nginx.kill_on_drop(true).spawn();
    let running = running.expect("nginx with its RTMP module is installed");
    while TcpStream::connect(local(port)).await.is_err() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    running
}

/// An encoder that sends a test picture and a tone as they come about.
fn encoder(url: &str) -> Child {
    encoder_of("320x180", url)
}

fn encoder_of(size: &str, url: &str) -> Child {
    let mut encoder = Command::new("ffmpeg");
    encoder
        .args(["-loglevel", "error", "-nostdin", "-re"])
        .args(["-f", "lavfi", "-i", &format!("testsrc2=size={size}:rate=30")])
        .args(["-f", "lavfi", "-i", "sine=sample_rate=48000", "-t", "60"])
        .args([
            "-c:v",
            "libx264",
            "-preset",
            "ultrafast",
            "-pix_fmt",
            "yuv420p",
            "-g",
            "30",
        ])
        .args(["-c:a", "aac", "-f", "flv", url])
        .stderr(Stdio::null());
    encoder.kill_on_drop(true).spawn().expect("ffmpeg is installed")
}

#[tokio::test]
async fn nginx_rtmp_pushes_a_stream_on() {
    let mut server = Server::start().await;
    let home = tempfile::tempdir().unwrap();
    let port = free_port();
    let ingest = server.address;
    let configuration = format!(
        "load_module /usr/lib/nginx/modules/ngx_rtmp_module.so;
         events {{ }}
         rtmp {{ server {{ listen 127.0.0.1:{port}; application in {{ live on; push rtmp://{ingest}/live; }} }} }}"
    );
    let _nginx = nginx(home.path(), &configuration, port).await;
    let _encoder = encoder(&format!("rtmp://127.0.0.1:{port}/in/{KEY}"));

    let (mut configured, mut frames) = (Vec::new(), 0);
    while frames < 60 {
        match server.seen().await {
            Seen::Message(MediaMessage::Config { codec, .. }) => configured.push(codec),
            Seen::Message(MediaMessage::AccessUnit(_)) => frames += 1,
            Seen::Admitted | Seen::Message(_) => {}
            Seen::Finished(how) => panic!("the push ended: {how:?}"),
        }
    }
    assert!(
        configured.contains(&Codec::H264) && configured.contains(&Codec::Aac),
        "{configured:?}"
    );
}

/// A whole origin behind an nginx with one of our configurations.
struct House {
    api: String,
    http: SocketAddr,
    rtmp: SocketAddr,
    nginx_port: u16,
    home: tempfile::TempDir,
    shutdown: Shutdown,
    origin: JoinHandle<()>,
    _nginx: Child,
}

/// An origin on the data in `home`; its API speaks TLS if there is a certificate.
async fn run(home: &Path, http: SocketAddr, rtmp: SocketAddr, shutdown: &Shutdown) -> JoinHandle<()> {
    let mut config = Config::read(&Flags::default()).unwrap();
    let [certificate, key] = ["cert.pem", "key.pem"].map(|file| home.join(file));
    config.tls = certificate.exists().then_some(TlsFiles { certificate, key });
    config.data_dir = home.join("data");
    config.database_url = None;
    config.admin_token = AdminToken::Given(ADMIN_TOKEN.to_owned());
    config.http = http;
    config.rtmp = rtmp;
    config.link = local(0);
    config.relay_http = None;
    config.metrics = None;
    let origin = Origin::load(config).await.unwrap();
    let running = shutdown.clone();
    tokio::spawn(async move { origin.run(running).await.unwrap() })
}

fn client() -> reqwest::Client {
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
    client.danger_accept_invalid_certs(true).build().unwrap()
}

async fn room(api: &str) -> Value {
    let get = client().get(format!("{api}/api/rooms/cinema"));
    let answer = get.header("x-admin-token", ADMIN_TOKEN).send().await.unwrap();
    answer.json().await.unwrap()
}

impl House {
    async fn open(configuration: &str) -> Self {
        Self::open_in(tempfile::tempdir().unwrap(), configuration).await
    }

    async fn open_in(home: tempfile::TempDir, configuration: &str) -> Self {
        let [http, rtmp, nginx_port] = [free_port(), free_port(), free_port()];
        let shutdown = Shutdown::new();
        let origin = run(home.path(), local(http), local(rtmp), &shutdown).await;

        let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../infra/nginx-rtmp");
        let text = std::fs::read_to_string(file.join(configuration)).unwrap();
        let text = text
            .replace("listen 1935", &format!("listen 127.0.0.1:{nginx_port}"))
            .replace("127.0.0.1:1935", &format!("127.0.0.1:{nginx_port}"))
            .replace("127.0.0.1:1936", &format!("127.0.0.1:{rtmp}"));
        let has_tls = home.path().join("cert.pem").exists();
        let (scheme, text) = if has_tls {
            ("https", with_carrier(&text, local(http)))
        } else {
            ("http", text.replace("127.0.0.1:4000", &format!("127.0.0.1:{http}")))
        };
        let nginx = nginx(home.path(), &text, nginx_port).await;
        Self {
            api: format!("{scheme}://127.0.0.1:{http}"),
            http: local(http),
            rtmp: local(rtmp),
            nginx_port,
            home,
            shutdown,
            origin,
            _nginx: nginx,
        }
    }

    /// The origin starts again on its data; nginx stays.
    async fn restart_origin(&mut self) {
        self.shutdown.trigger();
        (&mut self.origin).await.unwrap();
        self.shutdown = Shutdown::new();
        self.origin = run(self.home.path(), self.http, self.rtmp, &self.shutdown).await;
    }

    async fn room(&self) -> Value {
        room(&self.api).await
    }

    /// On air, and not waiting for a publisher.
    async fn room_is_live(&self) {
        self.room_is(true, false).await;
    }

    async fn room_is(&self, live: bool, interrupted: bool) {
        let started = Instant::now();
        loop {
            let room = self.room().await;
            if room["isLive"] == live && room["interrupted"] == interrupted {
                return;
            }
            assert!(started.elapsed() < PATIENCE, "not in time: {room}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// What is published is a picture so wide.
    async fn picture_is_wide(&self, width: u64) {
        let started = Instant::now();
        loop {
            let get = client().get(format!("{}/api/rooms/cinema/health", self.api));
            let health = get.header("x-admin-token", ADMIN_TOKEN).send().await.unwrap();
            let health: Value = health.json().await.unwrap_or_default();
            if health["video"]["width"] == width {
                return;
            }
            assert!(started.elapsed() < PATIENCE, "not in time: {health}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    fn url(&self, key: &str) -> String {
        format!("rtmp://127.0.0.1:{}/live/{key}", self.nginx_port)
    }
}

/// The configuration with the hooks of an API that speaks TLS, as the origin prints them.
fn with_carrier(configuration: &str, api: SocketAddr) -> String {
    let printed = welcome::hooks(api, true, "");
    let (_, carrier) = printed.rsplit_once('\n').unwrap();
    let next = local(api.port() + 1).to_string();
    let free = local(free_port()).to_string();
    let text = configuration.replace("127.0.0.1:4000", &free);
    format!("{text}\n{}", carrier.replace(&next, &free))
}

/// Command lines of all processes.
fn command_lines() -> Vec<String> {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let lines = processes.filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok());
    lines
        .map(|line| String::from_utf8_lossy(&line).replace('\0', " "))
        .collect()
}

async fn an_evening_behind(configuration: &str) {
    let mut house = House::open(configuration).await;
    let key = house.room().await["streamKey"].as_str().unwrap().to_owned();

    let started = Instant::now();
    let mut refused = encoder(&house.url("sk_wrong"));
    assert!(!refused.wait().await.unwrap().success());
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());

    let mut publisher = encoder(&house.url(&key));
    house.room_is_live().await;
    let with_key = command_lines().into_iter().filter(|line| line.contains(&key));
    assert_eq!(with_key.count(), 1, "the publisher alone knows the key");

    publisher.kill().await.unwrap();
    house.room_is(true, true).await;
    tokio::time::sleep(AFTER_A_STOP).await;
    house.room_is(true, true).await;

    // The room is the publisher's again when it is back, by another name.
    let mut publisher = encoder(&house.url(&key));
    house.room_is_live().await;

    // nginx goes on under that name, and the publisher notices nothing.
    house.restart_origin().await;
    house.room_is_live().await;
    assert!(
        publisher.try_wait().unwrap().is_none(),
        "the publisher had to begin anew"
    );
    for log in [Path::new(ACCESS_LOG), &house.home.path().join("error.log")] {
        let log = std::fs::read_to_string(log).unwrap_or_default();
        assert!(!log.contains(&key), "a log has the key");
    }
    house.shutdown.trigger();
}

#[tokio::test]
async fn a_room_follows_a_publisher_behind_nginx_that_pushes() {
    an_evening_behind("nginx.conf").await;
}

#[tokio::test]
async fn a_room_follows_a_publisher_behind_nginx_that_has_ffmpeg_carry_its_stream() {
    an_evening_behind("nginx-exec.conf").await;
}

#[tokio::test]
async fn a_publisher_that_is_back_is_not_cut_when_nginx_drops_the_connection_that_it_lost() {
    let house = House::open("nginx.conf").await;
    let key = house.room().await["streamKey"].as_str().unwrap().to_owned();
    let mut lost = encoder_of("320x180", &house.url(&key));
    house.room_is_live().await;
    // Its line is dead: nginx hears nothing of it, not even an end.
    let frozen = std::process::Command::new("kill")
        .args(["-STOP", &lost.id().unwrap().to_string()])
        .status();
    assert!(frozen.unwrap().success());
    let _back = encoder_of("640x360", &house.url(&key));
    house.picture_is_wide(640).await;

    lost.kill().await.unwrap();
    let started = Instant::now();
    while started.elapsed() < A_CUT_WOULD_SHOW {
        let room = house.room().await;
        let still_on_air = room["isLive"] == true && room["interrupted"] == false;
        assert!(still_on_air, "cut after {:?}: {room}", started.elapsed());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    house.shutdown.trigger();
}

#[tokio::test]
async fn hooks_of_an_api_that_speaks_tls_are_carried_by_nginx_itself() {
    let home = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(home.path().join("cert.pem"), made.cert.pem()).unwrap();
    std::fs::write(home.path().join("key.pem"), made.signing_key.serialize_pem()).unwrap();
    let house = House::open_in(home, "nginx.conf").await;
    let key = house.room().await["streamKey"].as_str().unwrap().to_owned();
    let _publisher = encoder(&house.url(&key));
    house.room_is_live().await;
    house.shutdown.trigger();
}

#[tokio::test]
async fn a_name_of_a_key_that_was_changed_is_none_after_a_crash_though_the_file_still_has_it() {
    let home = tempfile::tempdir().unwrap();
    let [http, rtmp] = [free_port(), free_port()].map(local);
    let shutdown = Shutdown::new();
    let origin = run(home.path(), http, rtmp, &shutdown).await;
    let api = format!("http://{http}");
    let post = async |path: &str, form: String| {
        let request = client()
            .post(format!("{api}{path}"))
            .header("x-admin-token", ADMIN_TOKEN);
        let request = request
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form);
        request.send().await.unwrap()
    };
    let key = room(&api).await["streamKey"].as_str().unwrap().to_owned();
    let renamed = post("/hooks/rtmp/publish?rename=1", format!("name={key}")).await;
    let name = renamed.headers()["location"].to_str().unwrap().to_owned();
    let file = home.path().join("data/on-air-names.json");
    let started = Instant::now();
    let kept = loop {
        let kept = std::fs::read_to_string(&file).unwrap_or_default();
        if kept.contains(&name) {
            break kept;
        }
        assert!(started.elapsed() < PATIENCE, "the name is not kept");
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    let rotated = post("/api/rooms/cinema/rotate", String::new()).await;
    assert!(rotated.status().is_success(), "{rotated:?}");
    shutdown.trigger();
    origin.await.unwrap();
    // As one finds it that died before it could write.
    std::fs::write(&file, kept).unwrap();

    let shutdown = Shutdown::new();
    let origin = run(home.path(), http, rtmp, &shutdown).await;
    let done = post("/hooks/rtmp/done", format!("name={name}")).await;
    assert_eq!(done.status(), 403, "the name is known");
    shutdown.trigger();
    origin.await.unwrap();
}
