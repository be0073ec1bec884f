//! Facts about the installation itself.

use common::time::UnixMillis;

use super::{Database, DbError, writing};

const INSERT_FIRST_START: &str =
    "INSERT INTO settings (name, value) VALUES ('first_start_at', $1) ON CONFLICT (name) DO NOTHING";

impl Database {
    /// True for the first caller ever; of two at once one is.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn is_first_start(&self, now: UnixMillis) -> Result<bool, DbError> {
        let inserted = writing!(self, |connection| {
            sqlx::query(INSERT_FIRST_START)
                .bind(now.to_rfc3339())
                .execute(connection)
                .await?
                .rows_affected()
        });
        Ok(inserted > 0)
    }
}
