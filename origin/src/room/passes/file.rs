//! The file that names outlive the origin in. What is in it may be older than what was in force when the origin died, so each name stands there
//! with its key: one whose key is the room's no more is none.

use std::{
    collections::HashMap,
    io,
    net::IpAddr,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use common::id::RoomSlug;
use data_encoding::HEXLOWER;
use node::{clock, pki::private_file, shutdown::Shutdown};
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::{Fronted, MAX_PASSES, Pass, Passes};
use crate::secrets::KeyHash;

/// Wait before names that could not be written are written again.
const WRITE_AGAIN: Duration = Duration::from_secs(10);

/// Keeps names in a file. Clones share it.
#[derive(Clone)]
pub struct PassFile {
    path: Arc<PathBuf>,
    passes: Arc<Passes>,
    /// Held from when the names are read until they are written, so that no older state lands after a newer one.
    writing: Arc<Mutex<()>>,
}

/// A name as it stands in the file. Whether it was on air is not kept: after a restart nobody is.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Kept {
    name: String,
    room: String,
    /// Of the stream key, in hexadecimal.
    key_sha256: String,
    encoder: Option<IpAddr>,
    caller: IpAddr,
    client: Option<u64>,
    number: u64,
}

impl PassFile {
    /// Takes the names that are in the file, as [`PassFile::restore`], and writes them whenever they change, until `shutdown`;
    /// [`PassFile::write_last`] has to follow once nothing changes them any more. Blocks while it reads.
    pub(in crate::room) fn open(
        path: PathBuf,
        passes: Arc<Passes>,
        present: &HashMap<RoomSlug, KeyHash>,
        shutdown: &Shutdown,
    ) -> Self {
        let file = Self::new(path, passes);
        if let Err(error) = file.restore(present) {
            warn!(file = %file.path.display(), %error, "publishers behind an encoder in front have to begin anew");
        }
        shutdown.spawn(file.clone().follow(shutdown.token().clone()));
        file
    }

    fn new(path: PathBuf, passes: Arc<Passes>) -> Self {
        Self {
            path: Arc::new(path),
            passes,
            writing: Arc::default(),
        }
    }

    /// Takes the names that an origin before kept, if there are any, of rooms that still have the same key; `present` are those of all rooms.
    ///
    /// # Errors
    /// The file cannot be read, or something else is in it. Then there are none.
    fn restore(&self, present: &HashMap<RoomSlug, KeyHash>) -> io::Result<()> {
        let Some(text) = private_file::read(&self.path)? else {
            return Ok(());
        };
        let touched = clock::monotonic();
        // serde's error is not passed on: it may quote a name.
        let kept: Vec<Kept> = serde_json::from_str(&text).map_err(|_| io::Error::other("not a list of names"))?;
        let mut issued = self.passes.lock();
        for kept in kept.into_iter().take(MAX_PASSES) {
            let room = kept.room.parse::<RoomSlug>().ok();
            let present = room.and_then(|room| present.get_key_value(&room));
            let Some((room, &key_hash)) = present.filter(|(_, hash)| HEXLOWER.encode(*hash) == kept.key_sha256) else {
                info!(
                    room = kept.room,
                    "a publisher's name is dropped: its stream key is good no more"
                );
                self.passes.changed.notify_one();
                continue;
            };
            let pass = Pass {
                room: room.clone(),
                key_hash,
                of: Fronted {
                    caller: kept.caller,
                    client: kept.client,
                    encoder: kept.encoder,
                },
                number: kept.number,
                on_air: false,
                touched,
            };
            issued.last_number = issued.last_number.max(kept.number);
            issued.by_name.insert(kept.name, pass);
        }
        Ok(())
    }

    async fn follow(self, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = self.passes.changed.notified() => {}
                () = stop.cancelled() => return,
            }
            if !self.written().await {
                // A name that is no good any more must not stay in the file.
                stop.run_until_cancelled(tokio::time::sleep(WRITE_AGAIN)).await;
                self.passes.changed.notify_one();
            }
        }
    }

    /// Writes the names as they are at the end.
    pub async fn write_last(&self) {
        self.written().await;
    }

    async fn written(&self) -> bool {
        let file = self.clone();
        let written = tokio::task::spawn_blocking(move || file.write()).await;
        let failed = written.map_err(io::Error::from).flatten().err();
        if let Some(error) = &failed {
            warn!(%error, "names of publishers behind an encoder in front are not kept over a restart");
        }
        failed.is_none()
    }

    fn write(&self) -> io::Result<()> {
        let _turn = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        private_file::write(&self.path, self.text().as_bytes())
    }

    fn text(&self) -> String {
        let issued = self.passes.lock();
        let names = issued.by_name.iter().map(|(name, pass)| Kept {
            name: name.clone(),
            room: pass.room.to_string(),
            key_sha256: HEXLOWER.encode(&pass.key_hash),
            encoder: pass.of.encoder,
            caller: pass.of.caller,
            client: pass.of.client,
            number: pass.number,
        });
        let names: Vec<Kept> = names.collect();
        serde_json::to_string(&names).expect("texts, addresses and numbers always serialize")
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::tests::{KEY, at, cinema, fronted, ip, issue},
        *,
    };

    fn present(cinema_key: KeyHash) -> HashMap<RoomSlug, KeyHash> {
        HashMap::from([(cinema(), cinema_key), ("games".parse().unwrap(), KEY)])
    }

    fn open(folder: &tempfile::TempDir, passes: Arc<Passes>) -> PassFile {
        PassFile::new(folder.path().join("names.json"), passes)
    }

    /// What an origin finds that starts after this one was stopped.
    async fn after_a_restart(folder: &tempfile::TempDir, passes: &Arc<Passes>) -> Arc<Passes> {
        open(folder, Arc::clone(passes)).write_last().await;
        let next = Arc::<Passes>::default();
        open(folder, Arc::clone(&next)).restore(&present(KEY)).unwrap();
        next
    }

    #[tokio::test]
    async fn a_name_is_good_after_a_restart_until_its_publication_is_done_or_another_is_let_in() {
        let folder = tempfile::tempdir().unwrap();
        let passes = Arc::<Passes>::default();
        let [done, on_air] = [None, Some(7)].map(|client| passes.issue(at(0), cinema(), KEY, fronted(client)));
        passes.admitted(&cinema(), Some(&done));
        passes.take(&done);
        passes.admitted(&cinema(), Some(&on_air));
        let at_games = passes.issue(at(1), "games".parse().unwrap(), KEY, fronted(None));

        let local = ip("127.0.0.1");
        let next = after_a_restart(&folder, &passes).await;
        assert_eq!(next.find(at(2), &done, local), None);
        let found = next.find(at(2), &on_air, ip("192.0.2.1")).unwrap();
        assert_eq!((found.room, found.of), (cinema(), fronted(Some(7))));
        assert_eq!(
            next.find(at(2), &on_air, ip("198.51.100.7")),
            None,
            "for who asked alone"
        );

        let newer = issue(&next, 3);
        next.admitted(&cinema(), Some(&newer));
        assert_eq!(next.find(at(4), &on_air, local), None);
        next.forget(&cinema());
        let last = after_a_restart(&folder, &next).await;
        assert_eq!(last.find(at(5), &newer, local), None, "the key was changed");
        assert!(last.find(at(5), &at_games, local).is_some());
    }

    #[tokio::test]
    async fn a_name_whose_key_was_changed_or_whose_room_is_gone_is_dropped_though_the_file_has_it() {
        let folder = tempfile::tempdir().unwrap();
        let passes = Arc::<Passes>::default();
        let at_cinema = issue(&passes, 0);
        let at_games = passes.issue(at(0), "games".parse().unwrap(), KEY, fronted(None));
        let at_attic = passes.issue(at(0), "attic".parse().unwrap(), KEY, fronted(None));
        open(&folder, passes).write_last().await;

        let next = Arc::<Passes>::default();
        let changed = present([8; 32]);
        open(&folder, Arc::clone(&next)).restore(&changed).unwrap();
        let good = [&at_cinema, &at_games, &at_attic].map(|name| next.find(at(1), name, ip("127.0.0.1")).is_some());
        assert_eq!(good, [false, true, false]);
    }

    #[tokio::test]
    async fn what_changes_while_the_origin_drains_is_written_last() {
        let folder = tempfile::tempdir().unwrap();
        let passes = Arc::<Passes>::default();
        let name = issue(&passes, 0);
        let file = open(&folder, Arc::clone(&passes));
        assert!(file.written().await);
        let stop = CancellationToken::new();
        stop.cancel();
        file.clone().follow(stop).await;
        passes.forget(&cinema());
        file.write_last().await;

        let next = Arc::<Passes>::default();
        open(&folder, Arc::clone(&next)).restore(&present(KEY)).unwrap();
        assert_eq!(next.find(at(1), &name, ip("127.0.0.1")), None);
    }

    #[test]
    fn no_older_state_lands_after_a_newer_one() {
        let folder = tempfile::tempdir().unwrap();
        let passes = Arc::<Passes>::default();
        let file = open(&folder, Arc::clone(&passes));
        issue(&passes, 0);
        // One write waits for its turn while the names change.
        let turn = file.writing.lock().unwrap();
        let waiting = {
            let file = file.clone();
            std::thread::spawn(move || file.write())
        };
        passes.forget(&cinema());
        drop(turn);
        waiting.join().unwrap().unwrap();
        assert_eq!(std::fs::read_to_string(&*file.path).unwrap(), "[]");
    }

    #[tokio::test]
    async fn as_many_names_as_there_may_be_can_be_kept() {
        let folder = tempfile::tempdir().unwrap();
        let passes = Arc::<Passes>::default();
        let address = ip("2001:db8:1111:2222:3333:4444:5555:6666");
        let longest = Fronted {
            caller: address,
            client: Some(u64::MAX),
            encoder: Some(address),
        };
        let rooms: Vec<RoomSlug> = (0..MAX_PASSES)
            .map(|number| format!("{number:064}").parse().unwrap())
            .collect();
        let issue = |room: &RoomSlug| passes.issue(at(0), room.clone(), KEY, longest);
        let names: Vec<String> = rooms.iter().map(issue).collect();
        passes
            .lock()
            .by_name
            .values_mut()
            .for_each(|pass| pass.number = u64::MAX);
        open(&folder, passes).write_last().await;
        let next = Arc::<Passes>::default();
        let present = rooms.into_iter().map(|room| (room, KEY)).collect();
        open(&folder, Arc::clone(&next)).restore(&present).unwrap();
        assert!(names.iter().all(|name| next.find(at(1), name, address).is_some()));
    }

    #[test]
    fn a_file_that_is_damaged_or_of_another_shape_is_an_error_that_shows_nothing_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let without_key = r#"{"name":"on-air-hush","room":"cinema","encoder":null,"caller":"192.0.2.1","number":1}"#;
        for content in [
            format!("[{without_key}]"),
            without_key.to_owned(),
            "[{\"name\": \"on-air-hush".to_owned(),
        ] {
            let next = Arc::<Passes>::default();
            let file = open(&folder, Arc::clone(&next));
            std::fs::write(&*file.path, content).unwrap();
            let error = file.restore(&present(KEY)).unwrap_err().to_string();
            assert!(!error.contains("hush"), "{error}");
            assert!(next.lock().by_name.is_empty());
        }
    }
}
