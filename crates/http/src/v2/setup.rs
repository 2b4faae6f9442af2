//! `/api/v2/setup`: the first organization, user, bucket and token.

use axum::Json;
use axum::extract::{FromRequestParts, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use serde::{Deserialize, Serialize};
use symbolon::{AdminError, IfNameExists, Prefix, Schema, SetUpRequest, Token};
use utoipa::ToSchema;
use utoipa_axum::routes;
use zeroize::Zeroizing;

use super::authorizations::AuthorizationForm;
use super::buckets::BucketForm;
use super::organizations::OrganizationForm;
use super::users::UserForm;
use crate::api::{Api, Operations};
use crate::body::Body;
use crate::browser_guard::{only, refuse_form, refuse_web_page};
use crate::failure::{Code, Failure};
use crate::login_attempts::HashingPermit;
use crate::password;
use crate::responses::Failures;
use crate::setup_code::SetupCode;
use crate::tags;

/// Header with the set-up code.
pub(crate) const SET_UP_CODE: &str = "x-symbolon-setup-code";

pub(super) fn routes() -> Vec<Operations> {
    vec![routes!(is_allowed, set_up)]
}

/// Reply of `GET /api/v2/setup`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = IsOnboarding)]
struct AllowedForm {
    /// True while the server can be set up over HTTP.
    allowed: bool,
}

/// Check whether the server can be set up
///
/// Set-up is possible if the server has a set-up code, until the first change of its store.
#[utoipa::path(
    get, path = "/api/v2/setup", operation_id = "GetSetup", tag = tags::SETUP,
    responses(
        (status = 200, description = "State of the set-up", body = AllowedForm),
        Failures
    )
)]
async fn is_allowed(State(api): State<Api>) -> Result<Json<AllowedForm>, Failure> {
    let allowed = is_open(&api).await?;
    Ok(Json(AllowedForm { allowed }))
}

async fn is_open(api: &Api) -> Result<bool, Failure> {
    // A starting server answers 503 before any other check.
    api.engine()?;
    if api.settings().setup_code.is_none() {
        return Ok(false);
    }
    api.run(|engine| engine.is_setup_open()).await
}

/// Proof that the request may set up the server. It is checked before the body is read.
struct MaySetUp;

impl FromRequestParts<Api> for MaySetUp {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Failure> {
        if !is_open(api).await? {
            return Err(AdminError::AlreadySetUp.into());
        }
        refuse_web_page(api.settings(), parts)?;
        refuse_form(&parts.headers)?;
        let code = api.settings().setup_code.as_ref();
        let given = only(&parts.headers, SET_UP_CODE);
        let fits = |(code, given): (&SetupCode, &str)| code.is(given.as_bytes());
        if code.zip(given).is_some_and(fits) {
            Ok(Self)
        } else {
            Err(Failure::new(
                Code::Unauthorized,
                "set-up needs the server's set-up code in the header X-Symbolon-Setup-Code",
            ))
        }
    }
}

/// First user, organization, bucket and token of a server.
#[derive(Deserialize, ToSchema)]
#[schema(as = OnboardingRequest)]
struct SetUpForm {
    #[serde(default)]
    #[schema(required, min_length = 1)]
    username: String,
    /// 8 to 72 bytes.
    #[serde(default)]
    // At least two characters are needed for 8 bytes.
    #[schema(value_type = String, required, min_length = 2, max_length = 72)]
    password: Zeroizing<String>,
    #[serde(default)]
    #[schema(required, min_length = 1)]
    org: String,
    #[serde(default)]
    #[schema(required, min_length = 1)]
    bucket: String,
    /// Token of the operator, 32 to 255 printable ASCII characters; random by default.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    token: Option<Zeroizing<String>>,
}

/// Reply of `POST /api/v2/setup`, the only one that contains the token of the authorization.
#[derive(Serialize, ToSchema)]
#[schema(as = OnboardingResponse)]
struct DoneForm {
    user: UserForm,
    bucket: Option<BucketForm>,
    org: OrganizationForm,
    auth: AuthorizationForm,
}

/// Create the first user, organization, bucket and operator token
///
/// Possible once, and only until the first change of the store. Requires the set-up code of the
/// server in the header `X-Symbolon-Setup-Code`.
#[utoipa::path(
    post, path = "/api/v2/setup", operation_id = "PostSetup", tag = tags::SETUP,
    request_body = SetUpForm,
    params(("x-symbolon-setup-code" = String, Header, description = "Set-up code of the server")),
    responses((status = 201, description = "Created", body = DoneForm), Failures)
)]
async fn set_up(
    State(api): State<Api>,
    _: MaySetUp,
    Body(form): Body<SetUpForm>,
) -> Result<(StatusCode, Json<DoneForm>), Failure> {
    let settings = api.settings().clone();
    let permit = api.login_attempts().permit().await?;
    let done = api.run(move |engine| {
        let first = first(form, &permit)?;
        let done = engine.set_up_unused(&first)?;
        let mut names = engine.admin(done.caller()).names();
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

fn first(form: SetUpForm, permit: &HashingPermit) -> Result<SetUpRequest, Failure> {
    let missing = [
        ("username", form.username.is_empty()),
        ("password", form.password.is_empty()),
        ("org", form.org.is_empty()),
        ("bucket", form.bucket.is_empty()),
    ];
    if let Some((name, _)) = missing.iter().find(|(_, missing)| *missing) {
        return Err(Failure::new(Code::Unprocessable, format!("{name} is missing")));
    }
    let token = form.token.filter(|token| !token.is_empty());
    let token = token.map(|token| Token::parse(Prefix::default(), &token)).transpose();
    let token = token.map_err(|error| Failure::invalid(error.to_string()))?;
    Ok(SetUpRequest {
        organization: form.org,
        user: form.username,
        password_hash: Some(password::hash(&form.password, permit)?),
        permissions: Schema::influxdb_operator().into(),
        bucket: Some(form.bucket),
        token,
        if_name_exists: IfNameExists::Refuse,
    })
}
