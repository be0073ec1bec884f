use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::auth::Role;

const NOW: UnixMillis = UnixMillis(1_795_341_600_000);

fn signer(seed: u8) -> Signer {
    Signer::from_pkcs8_pem(&pkcs8_pem(&[seed; SEED_LEN])).unwrap()
}

fn verifier(signers: &[&Signer]) -> Verifier {
    Verifier::from_jwk_set(&jwk_set(signers.iter().copied())).unwrap()
}

fn later(ms: i64) -> UnixMillis {
    UnixMillis(NOW.0 + ms)
}

fn viewer() -> ViewerClaims {
    ViewerClaims {
        viewer_id: "0199-v".into(),
        invite_id: Some("0199-i".into()),
        room: "cinema".parse().unwrap(),
        role: Role::Moderator,
        nickname: "Zoë".into(),
        relays: Some(vec!["r1".into()]),
        issued_at: later(7),
        expires_at: later(600_000),
    }
}

fn invite() -> InviteClaims {
    InviteClaims {
        id: "0199-i".into(),
        room: "cinema".parse().unwrap(),
        role: Role::Viewer,
        seats: Some(4),
        relays: None,
        not_before: NOW,
        expires_at: later(60_000),
    }
}

fn part(value: &Value) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(value.to_string())
}

/// `token` with another header and another payload, its signature kept.
fn with(token: &str, header: Option<Value>, payload: Option<Value>) -> String {
    let parts: Vec<&str> = token.split('.').collect();
    let header = header.map_or(parts[0].to_owned(), |header| part(&header));
    let payload = payload.map_or(parts[1].to_owned(), |payload| part(&payload));
    format!("{header}.{payload}.{}", parts[2])
}

#[test]
fn tokens_read_back_as_they_were_signed() {
    let signer = signer(1);
    let verifier = verifier(&[&signer]);
    assert_eq!(
        verifier.verify_viewer(&signer.sign_viewer(&viewer()), NOW),
        Ok(viewer())
    );
    assert_eq!(
        verifier.verify_invite(&signer.sign_invite(&invite()), NOW),
        Ok(invite())
    );
}

#[test]
fn the_claims_have_the_names_of_the_contract() {
    let signer = signer(1);
    let claims = |token: String| -> Value {
        let payload = BASE64_URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
        serde_json::from_slice(&payload).unwrap()
    };
    assert_eq!(
        claims(signer.sign_invite(&invite())),
        json!({"aud": "invite", "jti": "0199-i", "room": "cinema", "role": "viewer", "seats": 4,
               "nbf": 1_795_341_600, "exp": 1_795_341_660})
    );
    assert_eq!(
        claims(signer.sign_viewer(&viewer())),
        json!({"aud": "viewer", "sub": "0199-v", "inv": "0199-i", "room": "cinema", "role": "moderator",
               "nickname": "Zoë", "relays": ["r1"], "iat": 1_795_341_600.007, "exp": 1_795_342_200})
    );
}

#[test]
fn the_key_of_rfc_8037_has_the_thumbprint_of_rfc_8037() {
    // Appendix A.1 to A.3 of the RFC.
    let seed = BASE64_URL_SAFE_NO_PAD
        .decode("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A")
        .unwrap();
    let signer = Signer::from_pkcs8_pem(&pkcs8_pem(&seed.try_into().unwrap())).unwrap();
    assert!("kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k".starts_with(signer.key_id()));
    let AlgorithmParameters::OctetKeyPair(pair) = &signer.public_key().algorithm else {
        panic!("no Ed25519 key");
    };
    assert_eq!(pair.x, "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
}

#[test]
fn a_viewer_token_is_taken_for_a_second_after_its_end() {
    let signer = signer(1);
    let (verifier, token) = (verifier(&[&signer]), signer.sign_viewer(&viewer()));
    assert!(verifier.verify_viewer(&token, later(600_999)).is_ok());
    assert_eq!(verifier.verify_viewer(&token, later(601_000)), Err(TokenError::Expired));
    assert_eq!(
        verifier.verify_viewer(&token, later(-60_000)),
        Err(TokenError::NotYetValid)
    );
    assert_eq!(verifier.read_viewer(&token), Ok(viewer()));
}

#[test]
fn an_invite_counts_from_its_start_to_its_end() {
    let signer = signer(1);
    let (verifier, token) = (verifier(&[&signer]), signer.sign_invite(&invite()));
    assert_eq!(verifier.verify_invite(&token, later(-1)), Err(TokenError::NotYetValid));
    assert!(verifier.verify_invite(&token, later(59_999)).is_ok());
    assert_eq!(verifier.verify_invite(&token, later(60_000)), Err(TokenError::Expired));
}

#[test]
fn one_kind_of_token_does_not_pass_for_the_other() {
    let signer = signer(1);
    let verifier = verifier(&[&signer]);
    assert!(verifier.verify_viewer(&signer.sign_invite(&invite()), NOW).is_err());
    assert!(verifier.verify_invite(&signer.sign_viewer(&viewer()), NOW).is_err());
    let viewer_for_invites = signer.sign(INVITE_AUDIENCE, &viewer());
    assert_eq!(
        verifier.verify_viewer(&viewer_for_invites, NOW),
        Err(TokenError::WrongAudience)
    );
}

#[test]
fn other_algorithms_are_refused_whatever_the_signature() {
    let signer = signer(1);
    let (verifier, token) = (verifier(&[&signer]), signer.sign_viewer(&viewer()));
    let header = |alg: &str| json!({"alg": alg, "typ": "JWT", "kid": signer.key_id()});
    assert_eq!(
        verifier.verify_viewer(&with(&token, Some(header("none")), None), NOW),
        Err(TokenError::Malformed)
    );
    assert_eq!(
        verifier.verify_viewer(&with(&token, Some(header("HS256")), None), NOW),
        Err(TokenError::WrongAlgorithm)
    );
    // Signed for real with the public key as an HMAC secret: the classic confusion.
    let AlgorithmParameters::OctetKeyPair(pair) = &signer.public_key().algorithm else {
        panic!("no Ed25519 key");
    };
    let secret = EncodingKey::from_secret(&BASE64_URL_SAFE_NO_PAD.decode(&pair.x).unwrap());
    let hmac_header = Header {
        kid: Some(signer.key_id().to_owned()),
        ..Header::new(Algorithm::HS256)
    };
    let confused = jsonwebtoken::encode(&hmac_header, &viewer(), &secret).unwrap();
    assert_eq!(verifier.verify_viewer(&confused, NOW), Err(TokenError::WrongAlgorithm));
}

#[test]
fn a_token_of_another_key_is_refused() {
    let (ours, other) = (signer(1), signer(2));
    let verifier = verifier(&[&ours]);
    assert_eq!(
        verifier.verify_viewer(&other.sign_viewer(&viewer()), NOW),
        Err(TokenError::UnknownKey)
    );
    let header = json!({"alg": "EdDSA", "kid": ours.key_id()});
    let renamed = with(&other.sign_viewer(&viewer()), Some(header), None);
    assert_eq!(verifier.verify_viewer(&renamed, NOW), Err(TokenError::BadSignature));
    let nameless = with(&ours.sign_viewer(&viewer()), Some(json!({"alg": "EdDSA"})), None);
    assert_eq!(verifier.verify_viewer(&nameless, NOW), Err(TokenError::UnknownKey));
}

#[test]
fn while_keys_change_the_tokens_of_both_count() {
    let (old, new) = (signer(1), signer(2));
    let verifier = verifier(&[&new, &old]);
    assert!(verifier.verify_viewer(&old.sign_viewer(&viewer()), NOW).is_ok());
    assert!(verifier.verify_viewer(&new.sign_viewer(&viewer()), NOW).is_ok());
}

#[test]
fn changed_claims_and_critical_headers_are_refused() {
    let signer = signer(1);
    let (verifier, token) = (verifier(&[&signer]), signer.sign_viewer(&viewer()));
    let mut payload = serde_json::to_value(viewer()).unwrap();
    payload["aud"] = json!("viewer");
    payload["role"] = json!("host");
    assert_eq!(
        verifier.verify_viewer(&with(&token, None, Some(payload)), NOW),
        Err(TokenError::BadSignature)
    );
    let critical = json!({"alg": "EdDSA", "kid": signer.key_id(), "crit": ["exp"]});
    assert_eq!(
        verifier.verify_viewer(&with(&token, Some(critical), None), NOW),
        Err(TokenError::Malformed)
    );
}

#[test]
fn texts_that_are_no_token_are_malformed() {
    let verifier = verifier(&[&signer(1)]);
    let long = "a".repeat(MAX_TOKEN_LEN + 1);
    for text in ["", ".", "..", "a.b.c", "é.é.é", long.as_str()] {
        assert_eq!(verifier.verify_viewer(text, NOW), Err(TokenError::Malformed), "{text}");
    }
}

#[test]
fn keys_that_are_no_keys_are_refused() {
    let ec = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VuBCIEIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n-----END PRIVATE KEY-----\n";
    for pem in ["", "secret", ec] {
        assert_eq!(Signer::from_pkcs8_pem(pem).unwrap_err(), KeyError::PrivateKey);
    }
    assert_eq!(Verifier::from_jwk_set("[]").unwrap_err(), KeyError::KeySet);
    let foreign = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"AAAA","kid":"short"},{"kty":"RSA","n":"AQ","e":"AQ","kid":"rsa"}]}"#;
    assert!(Verifier::from_jwk_set(foreign).unwrap().keys.is_empty());
}

#[test]
fn nothing_of_a_private_key_is_shown() {
    let shown = format!("{:?}", signer(7));
    assert!(!shown.contains("BwcH") && !shown.contains("7, 7"), "{shown}");
}

proptest! {
    #[test]
    fn no_text_is_taken_and_none_panics(text in "\\PC{0,200}|[A-Za-z0-9_-]{1,40}\\.[A-Za-z0-9_-]{1,80}\\.[A-Za-z0-9_-]{1,90}") {
        prop_assert!(verifier(&[&signer(1)]).verify_viewer(&text, NOW).is_err());
    }

    #[test]
    fn one_changed_character_spoils_a_token(at in any::<prop::sample::Index>(), to in "[A-Za-z0-9_-]") {
        let signer = signer(1);
        let token = signer.sign_viewer(&viewer());
        // The last character of the signature carries two bits that mean nothing.
        let at = at.index(token.len() - 1);
        let mut changed = token.clone();
        changed.replace_range(at..=at, &to);
        prop_assume!(changed != token);
        prop_assert!(verifier(&[&signer]).verify_viewer(&changed, NOW).is_err());
    }
}
