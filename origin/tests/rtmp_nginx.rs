//! The ingest behind Debian's nginx-rtmp, which takes the encoder's stream and pushes it on with a client of its own.

mod rtmp_support;

use std::{path::Path, process::Stdio, time::Duration};

use common::media::access_unit::{Codec, MediaMessage};
use rtmp_support::{KEY, Seen, Server};
use tokio::{net::TcpStream, process::Command};

/// An nginx that pushes what is published to its app `in` to the ingest.
fn configuration(home: &Path, port: u16, ingest: std::net::SocketAddr) -> String {
    let home = home.display();
    format!(
        "daemon off; master_process off; pid {home}/pid; error_log stderr error;
         load_module /usr/lib/nginx/modules/ngx_rtmp_module.so;
         events {{ }}
         rtmp {{ server {{ listen 127.0.0.1:{port}; application in {{ live on; push rtmp://{ingest}/live; }} }} }}"
    )
}

#[tokio::test]
async fn nginx_rtmp_pushes_a_stream_on() {
    let mut server = Server::start().await;
    let home = tempfile::tempdir().unwrap();
    // Free a moment ago, which is as good as it gets with a program that cannot be told port 0.
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let file = home.path().join("nginx.conf");
    std::fs::write(&file, configuration(home.path(), port, server.address)).unwrap();
    let mut nginx = Command::new("nginx");
    nginx
        .arg("-p")
        .arg(home.path())
        .arg("-c")
        .arg(&file)
        .arg("-e")
        .arg("stderr");
    let _nginx = nginx
        .kill_on_drop(true)
        .spawn()
        .expect("nginx with its RTMP module is installed");
    while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }

    let mut encoder = Command::new("ffmpeg");
    encoder.args([
        "-loglevel",
        "error",
        "-nostdin",
        "-re",
        "-f",
        "lavfi",
        "-i",
        "testsrc2=size=320x180:rate=30",
    ]);
    encoder.args([
        "-f",
        "lavfi",
        "-i",
        "sine=sample_rate=48000",
        "-t",
        "20",
        "-c:v",
        "libx264",
        "-preset",
        "ultrafast",
    ]);
    encoder.args(["-pix_fmt", "yuv420p", "-g", "30", "-c:a", "aac", "-f", "flv"]);
    encoder
        .arg(format!("rtmp://127.0.0.1:{port}/in/{KEY}"))
        .stderr(Stdio::null());
    let _encoder = encoder.kill_on_drop(true).spawn().expect("ffmpeg is installed");

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
