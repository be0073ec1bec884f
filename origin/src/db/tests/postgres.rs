//! A PostgreSQL server of the test's own, in a temporary folder, reached by a Unix socket. It needs the server's
//! programs installed; without them the test fails.

use std::{
    fs,
    os::unix::{
        fs::{PermissionsExt, chown},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tempfile::TempDir;

/// User that the server runs as when the test runs as root, which the server refuses.
const SERVER_USER: &str = "postgres";

pub(crate) struct Server {
    programs: PathBuf,
    folder: TempDir,
    /// User and group to run the programs as, if not our own.
    run_as: Option<(u32, u32)>,
}

impl Server {
    /// Makes a cluster and starts it; returns once it takes connections.
    pub(crate) fn start() -> Self {
        let folder = tempfile::Builder::new().prefix("streamcircle-pg").tempdir().unwrap();
        let run_as = (id(&["-u"]) == 0).then(|| (id(&["-u", SERVER_USER]), id(&["-g", SERVER_USER])));
        if let Some((user, group)) = run_as {
            chown(folder.path(), Some(user), Some(group)).unwrap();
        }
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).unwrap();
        let server = Self {
            programs: programs(),
            folder,
            run_as,
        };
        server.run(
            "initdb",
            &["--no-sync", "--auth=trust", "--username=postgres", "--encoding=UTF8"],
        );
        server.come();
        server
    }

    /// Starts it; returns once it takes connections.
    pub(crate) fn come(&self) {
        let path = self.folder.path().display();
        self.run(
            "pg_ctl",
            &[
                "--wait",
                &format!("--log={path}/log"),
                &format!("--options=-F -c listen_addresses= -c unix_socket_directories={path}"),
                "start",
            ],
        );
    }

    /// Stops it as a crash would.
    pub(crate) fn go(&self) {
        self.run("pg_ctl", &["--mode=immediate", "stop"]);
    }

    /// Makes an empty database and gives its URL.
    pub(crate) async fn new_database(&self, case: &str) -> String {
        // A name is cut at 63 bytes.
        let name = &case[..case.len().min(60)];
        let mut connection = PgConnection::connect(&self.url("postgres")).await.unwrap();
        sqlx::query(AssertSqlSafe(format!("CREATE DATABASE {name}")))
            .execute(&mut connection)
            .await
            .unwrap();
        connection.close().await.unwrap();
        self.url(name)
    }

    fn url(&self, database: &str) -> String {
        format!(
            "postgres:///{database}?host={}&user=postgres",
            self.folder.path().display()
        )
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        let mut command = Command::new(self.programs.join(program));
        command
            .arg(format!("--pgdata={}", self.folder.path().join("data").display()))
            .args(arguments)
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        if let Some((user, group)) = self.run_as {
            command.uid(user).gid(group);
        }
        assert!(command.status().unwrap().success(), "{program} failed");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.go();
    }
}

/// Where the newest installed server's programs are: Debian's places, then the search path.
fn programs() -> PathBuf {
    let debian = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut places: Vec<PathBuf> = debian.map(|version| version.path().join("bin")).collect();
    places.sort();
    places.reverse();
    let path = std::env::var_os("PATH").unwrap_or_default();
    places.extend(std::env::split_paths(&path));
    let has_server = |place: &PathBuf| Path::is_file(&place.join("initdb")) && Path::is_file(&place.join("pg_ctl"));
    places
        .into_iter()
        .find(has_server)
        .expect("PostgreSQL's server programs (initdb, pg_ctl) are installed")
}

fn id(arguments: &[&str]) -> u32 {
    let output = Command::new("id").args(arguments).output().unwrap();
    assert!(output.status.success(), "no user to run PostgreSQL as");
    String::from_utf8(output.stdout).unwrap().trim().parse().unwrap()
}
