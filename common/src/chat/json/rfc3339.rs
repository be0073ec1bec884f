//! Times in JSON: RFC 3339, written in UTC with milliseconds, read in any form that the standard allows.

use serde::{Deserialize, Deserializer, Serializer, de};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::time::UnixMillis;

pub(super) fn serialize<S: Serializer>(at: &UnixMillis, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&at.to_rfc3339())
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<UnixMillis, D::Error> {
    let text = String::deserialize(deserializer)?;
    let at =
        OffsetDateTime::parse(&text, &Rfc3339).map_err(|_| de::Error::custom("a time is written as RFC 3339 says"))?;
    let millis = at.unix_timestamp_nanos().div_euclid(1_000_000);
    i64::try_from(millis)
        .map(UnixMillis)
        .map_err(|_| de::Error::custom("the time is out of range"))
}

/// The same for a time that may be missing or `null`.
pub(super) mod option {
    use serde::{Deserialize, Deserializer, Serializer};

    use crate::time::UnixMillis;

    #[derive(Deserialize)]
    #[serde(transparent)]
    struct Time(#[serde(deserialize_with = "super::deserialize")] UnixMillis);

    #[expect(clippy::ref_option, reason = "serde asks for this shape")]
    pub(in super::super) fn serialize<S: Serializer>(
        at: &Option<UnixMillis>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match at {
            Some(at) => super::serialize(at, serializer),
            None => serializer.serialize_none(),
        }
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<UnixMillis>, D::Error> {
        Ok(Option::<Time>::deserialize(deserializer)?.map(|Time(at)| at))
    }
}
