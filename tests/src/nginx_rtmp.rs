//! Debian's nginx with its RTMP module, the peer that origins are measured beside.

use std::{net::SocketAddr, path::Path, process::Command, time::Duration};

use anyhow::Result;

use crate::process::{Process, free_tcp};

/// One that writes HLS of 2 s segments for whatever is published to its application `live`.
#[derive(Debug)]
pub struct NginxRtmp {
    process: Process,
    pub rtmp: SocketAddr,
}

impl NginxRtmp {
    pub fn start(folder: &Path) -> Result<Self> {
        let rtmp = free_tcp()?;
        let root = folder.display();
        let configuration = format!(
            "load_module /usr/lib/nginx/modules/ngx_rtmp_module.so;
             daemon off; master_process off; pid {root}/nginx.pid; error_log {root}/error.log;
             events {{ worker_connections 64; }}
             rtmp {{ server {{ listen {rtmp}; application live {{ live on; hls on; hls_path {root}/hls; hls_fragment 2s; }} }} }}"
        );
        let file = folder.join("nginx.conf");
        std::fs::write(&file, configuration)?;
        let mut command = Command::new("nginx");
        command.args(["-p", &root.to_string(), "-c", &file.display().to_string()]);
        let process = Process::start("nginx", &mut command, folder)?;
        Ok(Self { process, rtmp })
    }

    pub fn cpu_time(&self) -> Result<Duration> {
        self.process.cpu_time()
    }
}
