//! The same cases on SQLite and on a PostgreSQL server that the test starts for itself.

mod cases;
mod chat;
mod moderation;
pub(crate) mod postgres;
mod streams;

use super::*;

macro_rules! on_both_engines {
    ($($module:ident::$case:ident),+ $(,)?) => {
        mod sqlite {
            $(
                #[tokio::test]
                async fn $case() {
                    let folder = tempfile::tempdir().unwrap();
                    let url = format!("sqlite://{}/rooms.db", folder.path().display());
                    let database = super::Database::open(&url).await.unwrap();
                    super::$module::$case(&database).await;
                    database.close().await;
                }
            )+
        }

        /// One server for all cases, each with a database of its own; the case that fails is the last one named.
        #[tokio::test]
        async fn postgresql_does_all_that_sqlite_does() {
            let server = postgres::Server::start();
            $(
                println!(stringify!($case));
                let database = Database::open(&server.new_database(stringify!($case)).await).await.unwrap();
                $module::$case(&database).await;
                database.close().await;
            )+
            two_origins_may_start_at_once(&server.new_database("two_origins").await).await;
        }
    };
}

on_both_engines!(
    cases::a_room_reads_back_as_it_was_made,
    cases::a_slug_and_a_key_serve_one_room,
    cases::a_change_touches_only_what_it_names,
    cases::a_new_stream_key_replaces_the_old_one,
    cases::media_sequence_numbers_never_go_back,
    cases::what_a_room_learnt_is_kept_as_it_was_last,
    cases::a_room_is_open_as_long_as_was_told_last,
    cases::deleting_a_room_takes_all_that_is_of_it_and_revokes_it,
    cases::an_invite_reads_back_as_it_was_made,
    cases::revoking_an_invite_twice_keeps_the_first_time,
    cases::a_ban_holds_for_one_room,
    cases::revocations_outlive_the_program_until_they_are_over,
    cases::a_join_secret_serves_once_and_in_time,
    cases::a_removed_relay_may_not_come_back,
    cases::a_relay_is_remembered_by_what_it_said_last,
    cases::messages_come_in_pages_oldest_first,
    cases::messages_are_kept_all_or_none,
    cases::a_sign_in_link_serves_once_and_in_time,
    cases::a_session_ends_by_time_and_by_sign_out,
    cases::only_the_first_start_is_the_first,
    cases::writers_at_once_wait_for_each_other,
    streams::what_is_set_of_a_stream_reads_back,
    streams::a_slates_picture_goes_with_its_room,
    chat::a_batch_that_is_written_again_is_there_once,
    chat::what_a_deleted_room_left_waiting_is_not_written_and_harms_nothing,
    chat::what_the_database_cannot_take_is_told_from_a_database_that_is_away,
    chat::message_ids_that_were_set_aside_are_never_given_again,
    moderation::a_ban_revokes_the_invite_that_nobody_else_uses,
    moderation::a_ban_leaves_a_shared_invite_and_refuses_newcomers_from_its_address,
    moderation::who_came_long_ago_or_is_banned_does_not_share_an_invite,
    moderation::a_ban_that_is_repeated_does_the_same_again,
    moderation::a_banned_address_is_refused_at_the_open_door,
    moderation::a_ban_that_is_taken_back_is_gone,
    moderation::names_of_staff_are_theirs_until_they_may_not_come_again,
    moderation::visits_of_viewers_who_stay_away_are_forgotten,
    moderation::audit_comes_in_pages_newest_first,
    moderation::the_last_timeout_of_a_viewer_counts_until_it_is_over,
    moderation::what_was_said_long_ago_stands_no_longer_in_the_audit_log,
    moderation::the_role_of_who_was_banned_is_remembered,
    moderation::a_second_device_does_not_share_an_invite,
    moderation::chat_settings_read_back_as_they_were_set,
    moderation::emotes_are_kept_by_name_and_found_by_file,
    moderation::old_messages_are_forgotten_in_batches,
    moderation::a_whole_chat_is_read_in_pages_without_what_was_deleted,
);

/// Of PostgreSQL alone: an SQLite file is one origin's.
async fn two_origins_may_start_at_once(url: &str) {
    let (first, second) = tokio::join!(Database::open(url), Database::open(url));
    let (first, second) = (first.unwrap(), second.unwrap());
    cases::a_room_reads_back_as_it_was_made(&first).await;
    assert_eq!(second.rooms().await.unwrap().len(), 1);
    first.close().await;
    second.close().await;
}

#[tokio::test]
async fn a_url_of_another_engine_is_refused() {
    for (url, expected) in [
        ("mysql://localhost/rooms", "a database URL starts with"),
        ("rooms.db", "a database URL starts with"),
        ("sqlite::memory:", "a database in memory"),
    ] {
        let error = Database::open(url).await.unwrap_err();
        assert!(error.to_string().starts_with(expected), "{url}: {error}");
    }
}

#[tokio::test]
async fn an_unreachable_server_is_told_from_a_slow_one() {
    let error = Database::open("postgres://operator@127.0.0.1:1/rooms")
        .await
        .unwrap_err();
    let DbError::Open(cause) = error else {
        panic!("{error:?}")
    };
    assert!(cause.to_string().contains("refused"), "{cause}");
}

#[tokio::test]
async fn an_unreachable_database_is_an_error_without_its_password() {
    for url in [
        "postgres://operator:hunter2@127.0.0.1:1/rooms",
        "sqlite:///nowhere/at/all/rooms.db",
    ] {
        let error = Database::open(url).await.unwrap_err();
        assert!(matches!(error, DbError::Open(_)), "{error:?}");
        assert!(!format!("{error:?}").contains("hunter2"));
    }
}
