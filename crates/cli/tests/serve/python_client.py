"""Run all functions of the unmodified package influxdb-client for authorizations, users and
organizations. Needs SYMBOLON_URL, the address of a server that has not been set up, and
SYMBOLON_SETUP_CODE, its set-up code."""

import os
import warnings
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone

from influxdb_client import (
    Authorization,
    InfluxDBClient,
    OnboardingRequest,
    Organization,
    Permission,
    PermissionResource,
    SetupService,
)
from influxdb_client.rest import ApiException

URL = os.environ["SYMBOLON_URL"]
PASSWORD = "correct horse battery"

# Turns uses of deprecated functions into errors.
warnings.simplefilter("error")


def connect(token=None, **more):
    return InfluxDBClient(URL, token=token, **more)


@contextmanager
def refused(status, message=None):
    """Assert that the server refuses a request with this status and message."""
    try:
        yield
    except ApiException as error:
        assert error.status == status, error
        assert message is None or error.message == message, error.message
    else:
        raise AssertionError(f"not refused with {status}")


def recent(time):
    """Return whether a time with a time zone lies within the last minutes."""
    return abs(datetime.now(timezone.utc) - time) < timedelta(minutes=5)


def grant(action, kind, org_id):
    return Permission(action, PermissionResource(type=kind, org_id=org_id))


def ids(many):
    return [one.id for one in many]


def set_up():
    with connect() as client:
        # The only call that needs a header unknown to InfluxDB.
        client.api_client.set_default_header("X-Symbolon-Setup-Code", os.environ["SYMBOLON_SETUP_CODE"])
        setup = SetupService(client.api_client)
        assert setup.get_setup().allowed is True
        request = OnboardingRequest(
            username="admin", password=PASSWORD, org="my-org", bucket="my-bucket"
        )
        made = setup.post_setup(onboarding_request=request)
        assert made.user.name == "admin" and made.user.status == "active"
        assert made.org.name == "my-org"
        assert made.bucket.name == "my-bucket"
        assert made.bucket.org_id == made.org.id
        assert made.auth.description == "admin's Token"
        assert made.auth.org_id == made.org.id and made.auth.user_id == made.user.id
        assert len(made.auth.permissions) == 44
        assert setup.get_setup().allowed is False
        with refused(422, "onboarding has already been completed"):
            setup.post_setup(onboarding_request=request)
        return made


def create(api, org):
    made = api.create_authorization(
        org_id=org.id,
        permissions=[grant("read", "authorizations", org.id), grant("write", "buckets", org.id)],
    )
    assert len(made.id) == 16 and made.token
    assert made.status == "active" and made.description == ""
    assert made.org == "my-org" and made.user == "admin"
    assert made.links["self"] == f"/api/v2/authorizations/{made.id}"
    assert made.links["user"] == f"/api/v2/users/{made.user_id}"
    assert recent(made.created_at) and recent(made.updated_at)
    granted = [(one.action, one.resource.type, one.resource.org_id) for one in made.permissions]
    assert granted == [("read", "authorizations", org.id), ("write", "buckets", org.id)]
    assert made.permissions[0].resource.org == "my-org"
    with refused(400, "authorization must include permissions"):
        api.create_authorization(org_id=org.id, permissions=[])
    return made


def find(api, users, orgs, first, made):
    """Find authorizations by each filter, among those of another user and organization."""
    org = orgs.create_organization(name="second-org")
    user = users.create_user("second")
    other = api.create_authorization(
        authorization=Authorization(
            org_id=org.id, user_id=user.id, permissions=[grant("read", "buckets", org.id)]
        )
    )
    assert other.user_id == user.id and other.user == "second" and other.org == "second-org"

    own, others = [first.auth.id, made.id], [other.id]
    found = api.find_authorization_by_id(made.id)
    assert found.id == made.id and found.token != made.token
    assert found.created_at == made.created_at
    assert ids(api.find_authorizations()) == own + others
    assert ids(api.find_authorizations_by_user(first.user)) == own
    assert ids(api.find_authorizations_by_user_id(user.id)) == others
    assert ids(api.find_authorizations_by_user_name("second")) == others
    assert ids(api.find_authorizations_by_user_name("admin")) == own
    assert ids(api.find_authorizations_by_org(first.org)) == own
    assert ids(api.find_authorizations_by_org_id(org.id)) == others
    assert ids(api.find_authorizations_by_org_name("second-org")) == others
    assert ids(api.find_authorizations(org="my-org", user="second")) == []
    assert all(one.token != made.token for one in api.find_authorizations())
    with refused(404, "user not found"):
        api.find_authorizations_by_user_name("nobody")
    with refused(404, 'organization name "nowhere" not found'):
        api.find_authorizations_by_org_name("nowhere")
    with refused(404, "authorization not found"):
        api.find_authorization_by_id("00000000000fffff")
    with refused(400):
        api.find_authorization_by_id("short")
    return org, user, other


def update(api, made):
    """Update an authorization; the client sends the whole object back."""
    token, before = made.token, api.find_authorization_by_id(made.id)
    before.description = "from the client"
    changed = api.update_authorization(before)
    assert changed.description == "from the client"
    assert changed.created_at == made.created_at and changed.updated_at > made.updated_at
    assert len(changed.permissions) == 2 and changed.user_id == made.user_id

    with connect(token) as holder:
        held = holder.authorizations_api()
        assert made.id in ids(held.find_authorizations())
        changed.status = "inactive"
        assert api.update_authorization(changed).status == "inactive"
        with refused(401, "token is inactive"):
            held.find_authorizations()
        with refused(401, "token is inactive"):
            held.find_authorization_by_id(made.id)
        changed.status = "active"
        # Fields that cannot be changed are sent too, and stay unchanged.
        changed.permissions = changed.permissions[:1]
        changed.user_id = "0000000000000001"
        kept = api.update_authorization(changed)
        assert kept.status == "active" and len(kept.permissions) == 2
        assert kept.user_id == made.user_id
        assert made.id in ids(held.find_authorizations())
        changed.status = "asleep"
        with refused(400):
            api.update_authorization(changed)


def clone_and_delete(api, made):
    clone = api.clone_authorization(made)
    by_id = api.clone_authorization(made.id)
    assert len({made.id, clone.id, by_id.id}) == 3
    assert len({made.token, clone.token, by_id.token}) == 3
    assert clone.permissions == made.permissions and clone.org_id == made.org_id

    with connect(clone.token) as holder:
        assert made.id in ids(holder.authorizations_api().find_authorizations())
        api.delete_authorization(clone)
        with refused(401, "unauthorized access"):
            holder.authorizations_api().find_authorizations()
    api.delete_authorization(by_id.id)
    left = ids(api.find_authorizations())
    assert clone.id not in left and by_id.id not in left and made.id in left
    with refused(404, "authorization not found"):
        api.delete_authorization(clone)
    with refused(404, "authorization not found"):
        api.find_authorization_by_id(clone.id)


def escalate(api, org, made):
    """Assert that a caller cannot grant permissions that it lacks."""
    with connect(made.token) as holder:
        with refused(401):
            holder.authorizations_api().create_authorization(
                org_id=org.id, permissions=[grant("read", "tasks", org.id)]
            )
    writer = api.create_authorization(
        org_id=org.id,
        permissions=[
            grant("write", "authorizations", org.id),
            Permission("write", PermissionResource(type="users")),
        ],
    )
    with connect(writer.token) as holder:
        with refused(403):
            holder.authorizations_api().create_authorization(
                org_id=org.id, permissions=[grant("read", "tasks", org.id)]
            )
    api.delete_authorization(writer)


def users(api, client):
    made = api.create_user(name="third")
    assert made.name == "third" and made.status == "active" and len(made.id) == 16
    assert made.id in ids(api.find_users().users)
    assert ids(api.find_users(name="third").users) == [made.id]
    assert ids(api.find_users(id=made.id).users) == [made.id]
    assert len(api.find_users(limit=1).users) == 1
    assert api.me().name == "admin"
    assert client.organizations_api().me().name == "admin"
    with refused(404):
        api.find_users(name="nobody")
    with refused(422):
        api.create_user(name="third")

    made.name = "renamed"
    assert api.update_user(made).name == "renamed"
    api.update_password(made, PASSWORD)
    with refused(400):
        api.update_password(made, "short")
    with connect(username="renamed", password=PASSWORD) as session:
        assert session.users_api().me().id == made.id
    api.update_password(made.id, PASSWORD + " again")
    with refused(401, "unauthorized access"):
        sign_in("renamed", PASSWORD)
    sign_in("renamed", PASSWORD + " again")
    api.delete_user(made)
    with refused(401, "unauthorized access"):
        sign_in("renamed", PASSWORD + " again")
    with refused(404):
        api.find_users(name="renamed")
    with refused(404):
        api.delete_user(made)


def sign_in(name, password):
    with connect(username=name, password=password) as session:
        session.users_api().me()


def sessions(org):
    """Sign in; the client sends the whole text of Set-Cookie back as its cookie."""
    with connect(username="admin", password=PASSWORD) as session:
        assert session.users_api().me().name == "admin"
        cookie = session.api_client.cookie
        assert "influxdb-oss-session=" in cookie and "HttpOnly" in cookie
        api = session.authorizations_api()
        made = api.create_authorization(
            org_id=org.id, permissions=[grant("read", "buckets", org.id)]
        )
        made.description = "by a session"
        assert api.update_authorization(made).description == "by a session"
        assert made.id in ids(api.find_authorizations(org_id=org.id))
        api.delete_authorization(made)
    # Closing signs out.
    with connect() as stale:
        stale.api_client.cookie = cookie
        with refused(401, "unauthorized access"):
            stale.users_api().me()
    with refused(401, "unauthorized access"):
        sign_in("admin", PASSWORD + "!")
    with refused(401, "unauthorized access"):
        sign_in("nobody", PASSWORD)


def organizations(api, auths):
    made = api.create_organization(organization=Organization(name="third-org", description="of the test"))
    assert made.name == "third-org" and made.description == "of the test"
    assert recent(made.created_at)
    assert api.find_organization(made.id).name == "third-org"
    assert ids(api.find_organizations(org="third-org")) == [made.id]
    assert ids(api.find_organizations(org_id=made.id)) == [made.id]
    assert made.id in ids(api.find_organizations())
    with refused(404):
        api.find_organizations(org="nowhere")
    with refused(422):
        api.create_organization(name="third-org")

    made.name, made.description = "renamed-org", "renamed"
    changed = api.update_organization(made)
    assert changed.name == "renamed-org" and changed.description == "renamed"
    held = auths.create_authorization(
        org_id=made.id, permissions=[grant("read", "authorizations", made.id)]
    )
    with connect(held.token) as holder:
        assert ids(holder.authorizations_api().find_authorizations()) == [held.id]
        api.delete_organization(made.id)
        with refused(401, "unauthorized access"):
            holder.authorizations_api().find_authorizations()
    with refused(404):
        api.find_organization(made.id)
    with refused(404):
        api.delete_organization(made.id)


def of_a_deleted_user(client, user, other):
    with connect(other.token) as holder:
        assert holder.authorizations_api().find_authorizations() == []
        user.status = "inactive"
        client.users_api().update_user(user)
        with refused(403, "User is inactive"):
            holder.authorizations_api().find_authorizations()
        user.status = "active"
        client.users_api().update_user(user)
        assert holder.authorizations_api().find_authorizations() == []
        client.users_api().delete_user(user)
        with refused(401, "unauthorized access"):
            holder.authorizations_api().find_authorizations()


def about_the_server():
    with connect() as client:
        assert client.ping() is True
        assert client.version() not in ("", "unknown")
        assert client.build() == "OSS"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            health = client.health()
        assert health.status == "pass" and health.name == "influxdb", health
        ready = client.ready()
        assert ready.status == "ready" and recent(ready.started) and ready.up
        with refused(401, "unauthorized access"):
            client.authorizations_api().find_authorizations()
    with connect("never-issued") as client, refused(401, "unauthorized access"):
        client.authorizations_api().find_authorizations()


def step(name, function, *arguments):
    print(f"{name} …", flush=True)
    return function(*arguments)


def main():
    step("about the server", about_the_server)
    first = step("set up", set_up)
    with connect(first.auth.token) as client:
        auths, people = client.authorizations_api(), client.users_api()
        orgs = client.organizations_api()
        made = step("create", create, auths, first.org)
        _, user, other = step("find", find, auths, people, orgs, first, made)
        step("update", update, auths, made)
        step("clone and delete", clone_and_delete, auths, made)
        step("escalate", escalate, auths, first.org, made)
        step("users", users, people, client)
        step("sessions", sessions, first.org)
        step("organizations", organizations, orgs, auths)
        step("a deleted user", of_a_deleted_user, client, user, other)
    print("done", flush=True)


main()
