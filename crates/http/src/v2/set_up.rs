//! `/api/v2/setup`: the first organization, user, bucket and token.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;
use symbolon::{Error, FirstUser, Prefix, Schema, Token};
use utoipa::ToSchema;
use utoipa_axum::routes;
use zeroize::Zeroizing;

use super::authorizations::AuthorizationForm;
use super::buckets::BucketForm;
use super::organizations::OrganizationForm;
use super::users::UserForm;
use crate::api::{Api, Settings};
use crate::body::Body;
use crate::failure::{Code, Failure};
use crate::names::Names;
use crate::openapi::Failures;
use crate::password;
use crate::routes::Operations;
use crate::tries::Turn;

const TAG: &str = "setup";
/// Where the code is given that the server printed at its start.
pub(crate) const SET_UP_CODE: &str = "x-symbolon-setup-code";

pub(super) fn routes() -> Vec<Operations> {
    vec![routes!(is_allowed, set_up)]
}

/// Whether the server can be set up.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = IsOnboarding)]
struct AllowedForm {
    /// True until it was set up.
    allowed: bool,
}

/// Ask whether the server was set up
#[utoipa::path(
    get, path = "/api/v2/setup", operation_id = "GetSetup", tag = TAG,
    responses((status = 200, description = "Whether it can be", body = AllowedForm), Failures)
)]
async fn is_allowed(State(api): State<Api>) -> Result<Json<AllowedForm>, Failure> {
    let done = api.run(|engine| engine.issuer().is_set_up());
    let allowed = !done.await?;
    Ok(Json(AllowedForm { allowed }))
}

/// Who comes first.
#[derive(Deserialize, ToSchema)]
#[schema(as = OnboardingRequest)]
struct SetUpForm {
    #[serde(default)]
    #[schema(required, min_length = 1)]
    username: String,
    /// 8 to 72 bytes.
    #[serde(default)]
    // No fewer characters have 8 bytes.
    #[schema(value_type = String, required, min_length = 2, max_length = 72)]
    password: Zeroizing<String>,
    #[serde(default)]
    #[schema(required, min_length = 1)]
    org: String,
    #[serde(default)]
    #[schema(required, min_length = 1)]
    bucket: String,
    /// The operator's token, if it shall not be made here: 32 to 255 printable ASCII characters.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    token: Option<Zeroizing<String>>,
}

/// What was made; the authorization with its token.
#[derive(Serialize, ToSchema)]
#[schema(as = OnboardingResponse)]
struct DoneForm {
    user: UserForm,
    bucket: Option<BucketForm>,
    org: OrganizationForm,
    auth: AuthorizationForm,
}

/// Make the first organization, user, bucket and operator token
///
/// It works once. A server that listens beyond the loopback interface wants the code that it printed at its start, in the
/// header `X-Symbolon-Setup-Code`.
#[utoipa::path(
    post, path = "/api/v2/setup", operation_id = "PostSetup", tag = TAG,
    request_body = SetUpForm,
    params(("x-symbolon-setup-code" = Option<String>, Header, description = "The code that the server printed")),
    responses((status = 201, description = "Made", body = DoneForm), Failures)
)]
async fn set_up(
    State(api): State<Api>,
    headers: HeaderMap,
    Body(form): Body<SetUpForm>,
) -> Result<(StatusCode, Json<DoneForm>), Failure> {
    let settings = api.settings().clone();
    api.engine()?;
    let turn = api.tries().turn().await?;
    let done = api.run(move |engine| {
        let issuer = engine.issuer();
        if issuer.is_set_up()? {
            return Err(Error::SetUp.into());
        }
        must_know_code(&settings, &headers)?;
        let first = first(form, &turn)?;
        let done = issuer.set_up(&first)?;
        let mut names = Names::new(engine);
        let auth = AuthorizationForm::new(done.authorization, &mut names, &settings)?;
        Ok::<_, Failure>(DoneForm {
            user: done.user.into(),
            bucket: done.bucket.map(BucketForm::from),
            org: done.organization.into(),
            auth: auth.with(&done.token),
        })
    });
    Ok((StatusCode::CREATED, Json(done.await?)))
}

fn must_know_code(settings: &Settings, headers: &HeaderMap) -> Result<(), Failure> {
    let Some(code) = &settings.set_up_code else {
        return Ok(());
    };
    let given = headers.get(SET_UP_CODE).map(|value| value.as_bytes());
    let fits = given.is_some_and(|given| given.ct_eq(code.as_bytes()).into());
    match fits {
        true => Ok(()),
        false => Err(Failure::new(
            Code::Unauthorized,
            "set-up needs the code that the server printed at its start, in the header X-Symbolon-Setup-Code",
        )),
    }
}

fn first(form: SetUpForm, turn: &Turn) -> Result<FirstUser, Failure> {
    let missing = [
        ("username", form.username.is_empty()),
        ("password", form.password.is_empty()),
        ("org", form.org.is_empty()),
        ("bucket", form.bucket.is_empty()),
    ];
    if let Some((name, _)) = missing.iter().find(|(_, missing)| *missing) {
        return Err(Failure::new(
            Code::Unprocessable,
            format!("{name} is missing"),
        ));
    }
    let token = form.token.filter(|token| !token.is_empty());
    let token = token
        .map(|token| Token::parse(Prefix::default(), &token))
        .transpose();
    let token = token.map_err(|error| Failure::invalid(error.to_string()))?;
    Ok(FirstUser {
        organization: form.org,
        user: form.username,
        password_hash: Some(password::hash(&form.password, turn)?),
        permissions: Schema::influxdb_operator().into(),
        bucket: Some(form.bucket),
        token,
    })
}
