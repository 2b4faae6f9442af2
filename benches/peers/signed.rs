//! Signed tokens, which are not looked up and so cannot be revoked before they expire.

use std::hint::black_box;
use std::time::Duration;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _,
};
use biscuit_auth::macros::{authorizer, biscuit};
use biscuit_auth::{AuthorizerLimits, Biscuit, KeyPair};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde_json::{Value, json};
use symbolon_benches::Bench;

pub(crate) fn all(bench: &mut Bench) {
    let secret = [7; 32];
    let keys = (EncodingKey::from_secret(&secret), DecodingKey::from_secret(&secret));
    jwt(bench, "peer/jwt-hs256", Algorithm::HS256, keys);

    let random = SystemRandom::new();
    let pair = Ed25519KeyPair::generate_pkcs8(&random).unwrap();
    let public = Ed25519KeyPair::from_pkcs8(pair.as_ref()).unwrap();
    let reads = DecodingKey::from_ed_der(public.public_key().as_ref());
    let keys = (EncodingKey::from_ed_der(pair.as_ref()), reads);
    jwt(bench, "peer/jwt-eddsa", Algorithm::EdDSA, keys);

    let curve = &ECDSA_P256_SHA256_FIXED_SIGNING;
    let pair = EcdsaKeyPair::generate_pkcs8(curve, &random).unwrap();
    let public = EcdsaKeyPair::from_pkcs8(curve, pair.as_ref()).unwrap();
    let reads = DecodingKey::from_ec_der(public.public_key().as_ref());
    let keys = (EncodingKey::from_ec_der(pair.as_ref()), reads);
    jwt(bench, "peer/jwt-es256", Algorithm::ES256, keys);

    biscuit(bench);
}

/// Measures decoding claims with an expiry and one permission.
fn jwt(bench: &mut Bench, name: &str, algorithm: Algorithm, keys: (EncodingKey, DecodingKey)) {
    let claims = json!({
        "sub": "0b38a8a5d1ee5000", "exp": 7_258_118_400_u64,
        "permissions": ["read:orgs/0804f74142bbf000/buckets"],
    });
    let token = encode(&Header::new(algorithm), &claims, &keys.0).unwrap();
    let validation = Validation::new(algorithm);
    bench.chain(name, None, || {
        let data = decode::<Value>(black_box(token.as_bytes()), &keys.1, &validation).unwrap();
        u64::from(data.claims["permissions"][0] == Value::Null)
    });
}

fn biscuit(bench: &mut Bench) {
    let root = KeyPair::new();
    let token = biscuit!("right(\"buckets0\", \"read\");").build(&root);
    let text = token.unwrap().to_base64().unwrap();
    let public = root.public();
    // The default limit of 1 ms is exceeded whenever the system interrupts the thread.
    let patient =
        AuthorizerLimits { max_time: Duration::from_secs(10), ..AuthorizerLimits::default() };
    bench.chain("peer/biscuit", None, || {
        let token = Biscuit::from_base64(black_box(&text), public).unwrap();
        let asks = authorizer!(
            r#"resource("buckets0"); operation("read");
            allow if resource($r), operation($o), right($r, $o);"#
        );
        let asks = asks.set_limits(patient.clone());
        asks.build(&token).unwrap().authorize().unwrap() as u64
    });
}
