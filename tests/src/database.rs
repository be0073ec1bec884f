//! The origin's database from outside: what is in it, and how to take it away.

use std::{
    fs::{self, Permissions},
    os::unix::{
        fs::{PermissionsExt, chown},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::{Command, Stdio},
    str::FromStr,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use sqlx::{
    ConnectOptions, Connection, PgConnection, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode},
};
use tempfile::TempDir;

/// Ids of a room's messages that the database at this URL holds, in order.
pub async fn message_ids(url: &str, room: &str) -> Result<Vec<i64>> {
    const QUERY: &str = "SELECT id FROM messages WHERE room = $1 ORDER BY id";
    if url.starts_with("postgres:") {
        let mut connection = PgConnection::connect(url).await?;
        Ok(sqlx::query_scalar(QUERY).bind(room).fetch_all(&mut connection).await?)
    } else {
        let mut connection = SqliteConnection::connect(url).await?;
        Ok(sqlx::query_scalar(QUERY).bind(room).fetch_all(&mut connection).await?)
    }
}

/// Keeps everybody else from writing to a SQLite database, until it is released.
#[derive(Debug)]
pub struct SqliteLock(SqliteConnection);

impl SqliteLock {
    pub async fn take(file: &Path) -> Result<Self> {
        let options = SqliteConnectOptions::from_str(&format!("sqlite://{}", file.display()))?
            .journal_mode(SqliteJournalMode::Wal)
            .busy_timeout(Duration::from_secs(20));
        let mut connection = options.connect().await?;
        sqlx::query("BEGIN EXCLUSIVE").execute(&mut connection).await?;
        Ok(Self(connection))
    }

    pub async fn release(mut self) -> Result<()> {
        sqlx::query("ROLLBACK").execute(&mut self.0).await?;
        self.0.close().await?;
        Ok(())
    }
}

/// User that PostgreSQL runs as when the test runs as root, which it refuses.
const SERVER_USER: &str = "postgres";
const START: Duration = Duration::from_secs(30);

/// A PostgreSQL server in a temporary folder, reached by a Unix socket.
#[derive(Debug)]
pub struct Postgres {
    programs: PathBuf,
    folder: TempDir,
    /// User and group, if not our own.
    run_as: Option<(u32, u32)>,
}

impl Postgres {
    /// Makes a cluster and starts it; returns once it takes connections.
    pub fn start() -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("streamcircle-pg").tempdir()?;
        let run_as = if id(&["-u"])? == 0 {
            Some((id(&["-u", SERVER_USER])?, id(&["-g", SERVER_USER])?))
        } else {
            None
        };
        if let Some((user, group)) = run_as {
            chown(folder.path(), Some(user), Some(group))?;
        }
        fs::set_permissions(folder.path(), Permissions::from_mode(0o700))?;
        let server = Self {
            programs: programs()?,
            folder,
            run_as,
        };
        let initdb = ["--no-sync", "--auth=trust", "--username=postgres", "--encoding=UTF8"];
        ensure!(server.run("initdb", &initdb)?, "initdb failed");
        server.start_again()?;
        Ok(server)
    }

    pub fn url(&self) -> String {
        let folder = self.folder.path().display();
        format!("postgres:///postgres?host={folder}&user=postgres")
    }

    /// SIGKILL to all of the server's processes: left alone, one that has a connection may write once more before it sees the first one gone.
    pub fn kill(&self) -> Result<()> {
        let file = self.data().join("postmaster.pid");
        let text = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
        let id = text.lines().next().context("a process id")?;
        let children =
            fs::read_to_string(format!("/proc/{id}/task/{id}/children")).context("the server's processes")?;
        let killed = Command::new("kill")
            .args(["-KILL", id])
            .args(children.split_whitespace())
            .status()?;
        ensure!(killed.success(), "kill -KILL {id} {children} failed");
        Ok(())
    }

    /// Starts the server that was killed; tries until its last processes have gone.
    pub fn start_again(&self) -> Result<()> {
        let folder = self.folder.path().display();
        let log = format!("--log={folder}/log");
        let options = format!("--options=-F -c listen_addresses= -c unix_socket_directories={folder}");
        let begin = Instant::now();
        while !self.run("pg_ctl", &["--wait", &log, &options, "start"])? {
            if begin.elapsed() > START {
                let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
                bail!("PostgreSQL does not start:\n{log}");
            }
            std::thread::sleep(Duration::from_millis(200));
        }
        Ok(())
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn run(&self, program: &str, arguments: &[&str]) -> Result<bool> {
        let mut command = Command::new(self.programs.join(program));
        command
            .arg(format!("--pgdata={}", self.data().display()))
            .args(arguments)
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        if let Some((user, group)) = self.run_as {
            command.uid(user).gid(group);
        }
        Ok(command.status()?.success())
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // It may be killed already.
        let _ = self.run("pg_ctl", &["--mode=immediate", "stop"]);
    }
}

/// Where the newest installed server's programs are: Debian's places, then the search path.
fn programs() -> Result<PathBuf> {
    let debian = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut places: Vec<PathBuf> = debian.map(|version| version.path().join("bin")).collect();
    places.sort();
    places.reverse();
    let path = std::env::var_os("PATH").unwrap_or_default();
    places.extend(std::env::split_paths(&path));
    let mut places = places.into_iter();
    places
        .find(|place| place.join("initdb").is_file() && place.join("pg_ctl").is_file())
        .context("PostgreSQL's server programs (initdb, pg_ctl) are not installed")
}

fn id(arguments: &[&str]) -> Result<u32> {
    let output = Command::new("id").args(arguments).output()?;
    ensure!(output.status.success(), "no user to run PostgreSQL as");
    Ok(String::from_utf8(output.stdout)?.trim().parse()?)
}
