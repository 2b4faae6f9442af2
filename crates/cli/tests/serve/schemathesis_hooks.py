"""What schemathesis cannot know of the server."""

import os
import random

import schemathesis

UNKNOWN = "00000000000fffff"
# IDs of the records that the callers depend on.
OWN = set(os.environ["SYMBOLON_OWN_IDS"].split(","))
TYPES = ["authorizations", "buckets", "dashboards", "orgs", "tasks", "users"]


@schemathesis.hook
def before_call(context, case, kwargs):
    spare_caller(case)
    mode = case.meta.generation.mode if case.meta else None
    path = case.operation.path
    if path == "/api/v2/authorizations" and mode is not None and mode.is_positive:
        ground(case.body)


def spare_caller(case):
    """A change of the caller's own token, user or organization becomes one of an id that does not exist: it would end
    the caller, and what is then tested is a refusal, again and again."""
    if case.method.upper() in ("GET", "HEAD", "OPTIONS"):
        return
    for name, value in (case.path_parameters or {}).items():
        if str(value).lower() in OWN:
            case.path_parameters[name] = UNKNOWN


def ground(body):
    """Every other well-formed new authorization is one of an organization and of types that exist: by chance alone, none
    is."""
    text = repr(body)
    if not isinstance(body, dict) or sum(map(ord, text)) % 2:
        return
    chosen = random.Random(text)
    body["orgID"] = chosen.choice(ids("orgs"))
    body.pop("userID", None)
    body.pop("expiresAt", None)
    for permission in body["permissions"]:
        permission["resource"] = {"type": chosen.choice(TYPES), "orgID": body["orgID"]}


def ids(kind):
    with open(f"{kind}.txt", encoding="utf-8") as file:
        return [line.strip().strip('"') for line in file]
